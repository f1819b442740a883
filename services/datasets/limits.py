"""How much is accepted at once, and why not more."""

# Read in a process of its own, which takes about ten times as much memory.
MAX_BYTES = 200 * 1024 * 1024
# Of an upload, kept as one object; more is written as several. Its sender waits for no more than this.
PART_BYTES = 8 * 1024 * 1024
# One part of an upload as the `openai` client sends it.
MAX_PART_BYTES = 64 * 1024 * 1024
# More parts than this are a file cut into crumbs.
MAX_PARTS = 1_000
# Uploads under way in one workspace; each may hold up to twice a file in parts.
MAX_OPEN_UPLOADS = 20
# What an archive may unpack to; an honest archive of text holds about ten times its size.
MAX_UNPACKED_BYTES = MAX_BYTES
# A workbook is written as XML, which is longer than what it says.
MAX_WORKBOOK_BYTES = 4 * MAX_BYTES
# What a table of short texts needs two gigabytes of memory for.
MAX_ROWS = 1_000_000
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
# More turns than any conversation that a model is to learn from.
MAX_MESSAGES = 1_000
# One text to learn from, one to choose the best model by, one to judge it by.
MIN_TEXTS_TO_SPLIT = 3
