"""What simple methods reach on the same split; a model that does not beat them is not worth its price."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge, SGDClassifier

from services.training.examples import (
    MultiLabelExample,
    PairExample,
    ScoreExample,
    TextExample,
    TokenExample,
)
from services.training.reporting import labels_scores, spans, thresholds
from services.training.reporting.answered import written
from services.training.reporting.regression_scores import r2
from services.training.reporting.report import Baseline
from services.training.reporting.significance import Counts, Numbers, compare, compare_scores, counts, score

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
    train: Sequence[TokenExample],
    test: Sequence[TokenExample],
    answers: Sequence[Sequence[str]],
    **others: Sequence[Sequence[str]],
) -> list[Baseline]:
    """Span F1 of giving each word the tag it most often has in training, and none to an unknown word.

    answers: the model's tags for each test sentence, which are compared with every method; others: name ->
    tags.
    """
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for example in train:
        for word, tag in zip(example.tokens, example.tags, strict=True):
            seen[word][tag] += 1
    usual = {word: tags.most_common(1)[0][0] for word, tags in seen.items()}
    methods = {
        "most-frequent-tag": [[usual.get(word, "O") for word in example.tokens] for example in test],
        **others,
    }
    truth = _entities(example.tags for example in test)
    ours = counts(truth, _entities(answers))
    return [_against(name, ours, counts(truth, _entities(said))) for name, said in methods.items()]


def label_baselines(
    rows: Mapping[str, Sequence[MultiLabelExample]],
    labels: Sequence[str],
    answers: Sequence[Sequence[str]],
    **others: Sequence[Sequence[str]],
) -> list[Baseline]:
    """Micro F1 of the same labels for every text, and of a logistic regression for each label on TF-IDF.

    Both choose on the validation rows, as the model does: how many labels, and the thresholds. rows: by
    split; answers: the model's labels for each test row; others: name -> answers.
    """
    truth = {
        split: labels_scores.indicators([example.labels for example in examples], labels)
        for split, examples in rows.items()
    }
    frequent = np.argsort(-truth["train"].sum(0), kind="stable")

    def f1_of_first(count: int) -> float:
        said = np.zeros_like(truth["validation"])
        said[:, frequent[:count]] = True
        return labels_scores.micro_f1(truth["validation"], said)

    count = max(range(1, len(labels) + 1), key=f1_of_first)
    always = [labels[number] for number in frequent[:count]]
    texts = {split: [example.text for example in examples] for split, examples in rows.items()}
    keywords = _label_keywords(texts, truth)
    methods: dict[str, Sequence[Sequence[str]]] = {
        "most-frequent-labels": [always] * len(rows["test"]),
        "tfidf-logistic-regression": labels_scores.named(keywords, labels),
        **others,
    }
    true = [list(example.labels) for example in rows["test"]]
    ours = counts(true, [list(some) for some in answers])
    return [
        _against(name, ours, counts(true, [list(some) for some in said])) for name, said in methods.items()
    ]


def pair_baselines(
    train: Sequence[PairExample], test: Sequence[PairExample], answers: Sequence[str], **others: Sequence[str]
) -> list[Baseline]:
    """Accuracy of the most frequent label, and of logistic regression on the TF-IDF of both texts.

    answers: the model's for each test row, which is compared with every method; others: name -> answers.
    """
    [(majority, _)] = Counter(example.label for example in train).most_common(1)
    found = _tfidf_of_pairs(train, test)
    said = [majority] * len(test)
    if found is not None:
        model = _logistic_regression().fit(found[0], [example.label for example in train])
        said = list(map(str, model.predict(found[1])))
    methods = {"majority": [majority] * len(test), "tfidf-logistic-regression": said, **others}
    truth = [[example.label] for example in test]
    ours = counts(truth, [[answer] for answer in answers])
    return [_against(name, ours, counts(truth, [[one] for one in said])) for name, said in methods.items()]


def score_baselines(
    train: Sequence[ScoreExample], test: Sequence[ScoreExample], answers: Numbers, **others: Numbers
) -> list[Baseline]:
    """R² of the training rows' mean, and of ridge regression on TF-IDF.

    answers: (test rows), the model's, which are compared with every method; others: name -> answers.
    """
    learned, truth = (np.array([example.score for example in rows]) for rows in (train, test))
    pairs = bool(train[0].second)
    found = (
        _tfidf_of_pairs(train, test)
        if pairs
        else _tfidf([example.first for example in train], [example.first for example in test])
    )
    mean = np.full(len(truth), learned.mean())
    keywords = (
        mean if found is None else Ridge(alpha=1.0, solver="lsqr").fit(found[0], learned).predict(found[1])
    )
    methods = {"mean": mean, "tfidf-ridge": keywords, **others}
    return [
        Baseline(name=name, value=r2(truth, said), against=compare_scores(truth, answers, said))
        for name, said in methods.items()
    ]


def _against(name: str, ours: Counts, theirs: Counts) -> Baseline:
    return Baseline(name=name, value=score(theirs), against=compare(ours, theirs))


def _entities(tags: Iterable[Sequence[str]]) -> list[list[str]]:
    return [[written(span) for span in spans.spans(some)] for some in tags]


def _keywords(train: Sequence[TextExample], test: Sequence[TextExample]) -> list[str] | None:
    """The answers for the test rows; None where no text holds a word, only signs."""
    found = _tfidf([example.text for example in train], [example.text for example in test])
    if found is None:
        return None
    model = _logistic_regression().fit(found[0], [example.label for example in train])
    return list(map(str, model.predict(found[1])))


def _label_keywords(
    texts: Mapping[str, list[str]], truth: Mapping[str, labels_scores.Indicators]
) -> labels_scores.Indicators:
    """(test rows, labels); none where no text holds a word."""
    found = _tfidf(texts["train"], [*texts["validation"], *texts["test"]])
    if found is None:
        return np.zeros_like(truth["test"])
    learned = truth["train"]
    # A label that all training rows have or none is not learned but answered so.
    probabilities = np.tile(learned.all(0).astype(np.float32), (found[1].shape[0], 1))
    for label in np.flatnonzero(learned.any(0) & ~learned.all(0)):
        model = _logistic_regression().fit(found[0], learned[:, label])
        probabilities[:, label] = model.predict_proba(found[1])[:, 1]
    held_out, answers = np.split(probabilities, [len(texts["validation"])])
    return thresholds.given(answers, thresholds.choose(truth["validation"], held_out))


def _logistic_regression() -> Any:
    # Fitted by stochastic gradients: on banking77 as accurate as L-BFGS (89 %) in a fourth of its time.
    return SGDClassifier(loss="log_loss", alpha=1e-5, max_iter=10, tol=None, random_state=0)


def _vectorizer(rows: int) -> Any:
    return TfidfVectorizer(ngram_range=(1, 2), min_df=2 if rows > _MANY else 1, sublinear_tf=True)


def _tfidf(train: Sequence[str], test: Sequence[str]) -> tuple[Any, Any] | None:
    """Sparse (rows, words) of both; None where no text holds a word, only signs."""
    words = _vectorizer(len(train))
    try:
        return words.fit_transform(train), words.transform(test)
    except ValueError:
        return None


def _tfidf_of_pairs(
    train: Sequence[PairExample] | Sequence[ScoreExample],
    test: Sequence[PairExample] | Sequence[ScoreExample],
) -> tuple[Any, Any] | None:
    """Sparse features of pairs: the words of each text, and those that they share."""
    words = _vectorizer(len(train))
    try:
        words.fit([text for example in train for text in (example.first, example.second)])
    except ValueError:
        return None

    def features(rows: Sequence[PairExample] | Sequence[ScoreExample]) -> Any:
        first = words.transform([example.first for example in rows])
        second = words.transform([example.second for example in rows])
        shared = first.multiply(second)
        return hstack([first, second, shared, csr_matrix(shared.sum(1))]).tocsr()

    return features(train), features(test)
