"""How much is accepted at once, and why not more."""

# The file is held whole while it is read: as characters it takes up to four times its bytes.
MAX_BYTES = 50 * 1024 * 1024
# Four passes over this many take about three hours on two processor cores, and a run may take six.
MAX_ROWS = 200_000
# Wider tables are exports of something else; showing their columns would bury the two that matter.
MAX_COLUMNS = 200
# Beyond this many different labels the label column is free text that was picked by mistake.
MAX_LABELS = 1_000
# A longer label is a sentence: text and label were swapped. It must also fit into a table's cell.
MAX_LABEL_CHARACTERS = 200
# About fifty pages. No base model reads further, and the csv module gives up at 131,072.
MAX_TEXT_CHARACTERS = 100_000
# A sentence of more tokens is a document whose blank lines were lost.
MAX_TOKENS = 2_000
# One text to learn from, one to choose the best model by, one to judge it by.
MIN_TEXTS_TO_SPLIT = 3
