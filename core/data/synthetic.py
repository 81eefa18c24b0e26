"""Generate synthetic film reviews from a seeded grammar, for training without a data set.

The opinion of a review depends on the structure of its sentences and not only on single words: praise may be negated,
conceded, ironic, or quoted from somebody who is wrong. So counting good and bad words is not enough to classify them.
The reviews are called synthetic wherever they are shown.
"""

from __future__ import annotations

import random

from core.data import synthetic_lexicon as lexicon

MIN_WORDS, MAX_WORDS = 20, 300
DEFAULT_COUNT = 6000

# The share of each form in which a sentence expresses its opinion.
_FRAMES = ((lexicon.PLAIN, 0.66), (lexicon.NEGATED, 0.12), (lexicon.CONTRASTED, 0.12), (lexicon.MISLEADING, 0.10))
_IRONY = 0.06
_AGREEING = 0.88
"""The share of a review's sentences that agree with its label; the others are concessions."""


def synthetic_reviews(n: int = DEFAULT_COUNT, *, seed: int = 0) -> list[tuple[str, int]]:
    """Generate ``n`` distinct reviews of 20 to 300 words as (text, label); half are positive (1), half negative (0).

    The same ``n`` and ``seed`` give the same reviews.
    """
    rng = random.Random(seed)
    seen: set[str] = set()
    reviews: list[tuple[str, int]] = []
    while len(reviews) < n:
        label = len(reviews) % 2
        text = _review(rng, bool(label))
        if text not in seen:
            seen.add(text)
            reviews.append((text, label))
    rng.shuffle(reviews)
    return reviews


def _review(rng: random.Random, positive: bool) -> str:
    """Generate a review: an opening, then facts and opinions in turn, with one verdict among them."""
    length = round(MIN_WORDS * (MAX_WORDS / MIN_WORDS) ** rng.random())
    sentences = [_fill(rng, rng.choice(lexicon.OPENINGS), positive)] if rng.random() < 0.8 else []
    verdict_after = rng.choice((1, 2, 3))
    while True:
        if len(sentences) == verdict_after:
            sentence = _verdict(rng, positive)
        elif rng.random() < 0.25:
            sentence = _fill(rng, rng.choice(lexicon.FACTS), positive)
        else:
            sentence = _opinion(rng, positive if rng.random() < _AGREEING else not positive)
        count = sum(len(s.split()) for s in sentences)
        if count + len(sentence.split()) > MAX_WORDS or (count >= length and len(sentences) > verdict_after):
            return " ".join(sentences)
        sentences.append(sentence)


def _opinion(rng: random.Random, positive: bool) -> str:
    if rng.random() < _IRONY:
        return _fill(rng, rng.choice(lexicon.IRONIC_BLAME if positive else lexicon.IRONIC_PRAISE), positive)
    frames = rng.choices([frames for frames, _ in _FRAMES], [share for _, share in _FRAMES])[0]
    return _fill(rng, rng.choice(frames), positive)


def _verdict(rng: random.Random, positive: bool) -> str:
    frames = lexicon.VERDICTS_PLAIN if rng.random() < 0.6 else lexicon.VERDICTS_TURNED
    return _fill(rng, rng.choice(frames), positive)


def _fill(rng: random.Random, frame: str, positive: bool) -> str:
    """Fill the fields of a sentence frame with random words."""
    same, other = (lexicon.GOOD, lexicon.BAD) if positive else (lexicon.BAD, lexicon.GOOD)
    same_nouns, other_nouns = (
        (lexicon.GOOD_NOUNS, lexicon.BAD_NOUNS) if positive else (lexicon.BAD_NOUNS, lexicon.GOOD_NOUNS)
    )
    aspect, aspect2 = rng.sample(lexicon.ASPECTS, 2)
    name, name2 = rng.sample(lexicon.NAMES, 2)
    same1, same2 = rng.sample(same, 2)
    other1, other2 = rng.sample(other, 2)
    sentence = frame.format(
        aspect=aspect,
        Aspect=aspect[0].upper() + aspect[1:],
        aspect2=aspect2,
        name=name,
        name2=name2,
        same=same1,
        same2=same2,
        other=other1,
        other2=other2,
        same_noun=rng.choice(same_nouns),
        other_noun=rng.choice(other_nouns),
        good=rng.choice(lexicon.GOOD),
        bad=rng.choice(lexicon.BAD),
        good_noun=rng.choice(lexicon.GOOD_NOUNS),
        bad_noun=rng.choice(lexicon.BAD_NOUNS),
        kind=rng.choice(lexicon.KINDS),
        place=rng.choice(lexicon.PLACES),
        job=rng.choice(lexicon.JOBS),
        goal=rng.choice(lexicon.GOALS),
        company=rng.choice(lexicon.COMPANY),
        occasion=rng.choice(lexicon.OCCASIONS),
        minutes=rng.randrange(20, 160),
        year=rng.randrange(1935, 2020),
    )
    return sentence[0].upper() + sentence[1:]
