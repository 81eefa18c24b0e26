"""Synthetic film reviews from a seeded grammar: what there is to train on when no real review can be had.

The opinion of a review is carried by the structure of its sentences, not only by its words: praise is negated,
conceded, quoted from somebody who is wrong, or ironic. Counting good and bad words is therefore not enough; a
model has to read. They are called synthetic wherever they are shown.
"""

from __future__ import annotations

import random

from core.data import synthetic_lexicon as words

MIN_WORDS, MAX_WORDS = 20, 300
DEFAULT_COUNT = 6000

# Shares of the ways in which a sentence tells its opinion.
_FRAMES = ((words.PLAIN, 0.66), (words.NEGATED, 0.12), (words.CONTRASTED, 0.12), (words.MISLEADING, 0.10))
_IRONY = 0.06
_AGREEING = 0.88
"""How many of a review's sentences share its verdict; the others are what a fair reviewer concedes."""


def synthetic_reviews(n: int = DEFAULT_COUNT, *, seed: int = 0) -> list[tuple[str, int]]:
    """``n`` distinct reviews of 20 to 300 words as (text, label), 1 positive, 0 negative, half of each.

    A pure function of ``n`` and ``seed``.
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
    """Opening, facts and opinions in turn, a verdict early or late, within the limits of length."""
    length = round(MIN_WORDS * (MAX_WORDS / MIN_WORDS) ** rng.random())
    sentences = [_fill(rng, rng.choice(words.OPENINGS), positive)] if rng.random() < 0.8 else []
    verdict_after = rng.choice((1, 2, 3))
    while True:
        if len(sentences) == verdict_after:
            sentence = _verdict(rng, positive)
        elif rng.random() < 0.25:
            sentence = _fill(rng, rng.choice(words.FACTS), positive)
        else:
            sentence = _opinion(rng, positive if rng.random() < _AGREEING else not positive)
        count = sum(len(s.split()) for s in sentences)
        if count + len(sentence.split()) > MAX_WORDS or (count >= length and len(sentences) > verdict_after):
            return " ".join(sentences)
        sentences.append(sentence)


def _opinion(rng: random.Random, positive: bool) -> str:
    if rng.random() < _IRONY:
        return _fill(rng, rng.choice(words.IRONIC_BLAME if positive else words.IRONIC_PRAISE), positive)
    frames = rng.choices([frames for frames, _ in _FRAMES], [share for _, share in _FRAMES])[0]
    return _fill(rng, rng.choice(frames), positive)


def _verdict(rng: random.Random, positive: bool) -> str:
    frames = words.VERDICTS_PLAIN if rng.random() < 0.6 else words.VERDICTS_TURNED
    return _fill(rng, rng.choice(frames), positive)


def _fill(rng: random.Random, frame: str, positive: bool) -> str:
    """Puts words into a frame; the same seed draws the same words."""
    same, other = (words.GOOD, words.BAD) if positive else (words.BAD, words.GOOD)
    same_nouns, other_nouns = (words.GOOD_NOUNS, words.BAD_NOUNS) if positive else (words.BAD_NOUNS, words.GOOD_NOUNS)
    aspect, aspect2 = rng.sample(words.ASPECTS, 2)
    name, name2 = rng.sample(words.NAMES, 2)
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
        good=rng.choice(words.GOOD),
        bad=rng.choice(words.BAD),
        good_noun=rng.choice(words.GOOD_NOUNS),
        bad_noun=rng.choice(words.BAD_NOUNS),
        kind=rng.choice(words.KINDS),
        place=rng.choice(words.PLACES),
        job=rng.choice(words.JOBS),
        goal=rng.choice(words.GOALS),
        company=rng.choice(words.COMPANY),
        occasion=rng.choice(words.OCCASIONS),
        minutes=rng.randrange(20, 160),
        year=rng.randrange(1935, 2020),
    )
    return sentence[0].upper() + sentence[1:]
