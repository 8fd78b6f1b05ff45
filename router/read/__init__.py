"""What is this contact? The facts in its words, the kind of contact it is, and any sign of serious harm.

Pure: text in, a value out, with the sentence behind each finding. Unsure is an answer: ``review``. The words of outcomes and
facts are those of the labelling guide (tests/data/labelling-guide.md).
"""

from router.read.reader import read, signs_in
from router.read.reading import Fact, Outcome, ReadIndividual, Reading, Sign

__all__ = ["Fact", "Outcome", "ReadIndividual", "Reading", "Sign", "read", "signs_in"]
