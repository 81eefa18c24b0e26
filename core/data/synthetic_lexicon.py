"""The words and sentence frames of the synthetic reviews.

In a frame, ``{good}`` and ``{bad}`` stand for words of praise and of blame, ``{same}`` for a word that agrees with the
opinion of the sentence, and ``{other}`` for one that contradicts it. Each frame is used for both opinions, except those
of irony, so that its own words do not reveal the label.
"""


def _phrases(text: str) -> list[str]:
    """Split a text of several lines into phrases at each ``|``."""
    return " ".join(text.split()).replace("| ", "|").split("|")


GOOD = _phrases("""
superb|gripping|moving|brilliant|charming|delightful|clever|touching|funny|inventive|warm|elegant|wonderful|
thrilling|honest|beautiful|fresh|sharp|memorable|tender|witty|stunning|lively|subtle|rich|compelling|graceful|
confident|sincere|magnificent""")
BAD = _phrases("""
dull|clumsy|tedious|awful|flat|predictable|boring|shallow|lifeless|annoying|pointless|weak|messy|stale|forced|
silly|dreadful|lazy|cold|confused|wooden|tiresome|cheap|bland|ugly|hollow|sloppy|terrible|dreary|painful""")
GOOD_NOUNS = _phrases(
    """a masterpiece|a triumph|a gem|a joy|a treat|a small miracle|a classic|pure magic|a delight|a real find"""
)
BAD_NOUNS = _phrases("""a disaster|a mess|a bore|a failure|an ordeal|a waste|a dud|a chore|an insult|a real letdown""")

ASPECTS = _phrases("""
the acting|the script|the plot|the pacing|the dialogue|the camera work|the music|the ending|the opening|
the direction|the humour|the romance|the editing|the second half|the lead performance|the supporting cast|the story|
the set design|the final scene|the villain|the chemistry between the leads|the first hour|the voice work|the mood""")
KINDS = _phrases("""
thriller|comedy|drama|western|documentary|war film|love story|horror film|family film|crime story|musical|
science fiction film|ghost story|road movie|period piece|courtroom drama|sports film|spy film|fairy tale|remake""")
NAMES = _phrases("""
Anna|Ben|Clara|David|Elena|Frank|Grace|Hugo|Irene|Jack|Kate|Leo|Maria|Nick|Olga|Paul|Rita|Sam|Tess|Victor|
Walter|Yvonne|Arthur|Bridget|Carlos|Dora""")
PLACES = _phrases("""
Boston|Lisbon|a fishing village|the desert|a small town|Vienna|a space station|the mountains|Chicago|
a boarding school|an old hotel|Kyoto|the harbour|a farm in Kansas|wartime London|the suburbs|a lighthouse|Naples""")
JOBS = _phrases("""
detective|teacher|pilot|nurse|farmer|pianist|lawyer|sailor|journalist|baker|soldier|painter|widow|mechanic|
student|priest|boxer|gardener|surgeon|thief""")
GOALS = _phrases("""
find a missing brother|save the family house|learn who sent the letters|win back an old friend|
get home before winter|solve a murder nobody reported|keep a promise made years ago|sell a stolen violin|
bring two towns together|escape a marriage|clear a father's name|hide from a former partner|rebuild a theatre|
cross the border with a child|put on one last show|forget the war""")
COMPANY = _phrases("""
my sister|my father|two friends|my neighbour|my wife|my husband|the children|a colleague|my flatmate|
an old friend""")
OCCASIONS = _phrases("""
last night|on a rainy Sunday|on a long flight|at a festival|on late television|at the local cinema|
on an old tape|during the holidays|on a friend's advice|for the third time""")
OPENINGS = (
    "I saw this {kind} {occasion} with {company}.",
    "{company} and I watched this {kind} {occasion}.",
    "This {kind} is set in {place} and runs for about {minutes} minutes.",
    "I picked this {kind} {occasion} without knowing anything about it.",
    "A {kind} about a {job} from {place}, made in {year}.",
    "I first heard of this {kind} from {company}.",
)

FACTS = (
    "{name} plays a {job} in {place} who wants to {goal}.",
    "The story follows {name}, a {job} who has to {goal}.",
    "There is a {job} called {name}, there is a plan to {goal}, and there is {place}.",
    "Halfway through, {name} leaves for {place} and the film changes direction.",
    "{name} and {name2} meet in {place} and decide to {goal}.",
    "Most of it takes place in {place}, and {minutes} minutes of it in one room.",
    "The {job} is played by someone I had only seen in a {kind} before.",
    "It was made in {year}, and the print that I saw had subtitles.",
    "Later {name2} turns up, and the two of them try to {goal}.",
    "{company} noticed that the {job} is the narrator too.",
    "The last {minutes} minutes return to {place}, where {name} still hopes to {goal}.",
    "There are two songs, one chase, and a long scene in which {name} talks about the past.",
)

PLAIN = (
    "{Aspect} is {same}.",
    "{Aspect} is {same} and {same2}.",
    "I found {aspect} {same}.",
    "To me {aspect} felt {same} from start to finish.",
    "{Aspect} is {same}, and {aspect2} is {same2} too.",
    "I kept noticing how {same} {aspect} is.",
)

NEGATED = (
    "{Aspect} is not {other}.",
    "{Aspect} is never {other}, not for a minute.",
    "I would not call {aspect} {other}.",
    "Nobody could say that {aspect} is {other}.",
    "{Aspect} is anything but {other}.",
    "There is nothing {other} about {aspect}.",
    "{Aspect} is far from {other}, and {aspect2} is hardly {other2}.",
)

CONTRASTED = (
    "{Aspect} may be {other}, but {aspect2} is {same} and that is what counts.",
    "Yes, {aspect} is {other}; still, what stays with me is how {same} {aspect2} is.",
    "Although {aspect} is {other}, {aspect2} is so {same} that it decides the matter.",
    "{Aspect} is {other}, I admit, yet {aspect2} is {same}.",
)

MISLEADING = (
    "The poster promises {other_noun}, and the poster is wrong.",
    "{company} called it {other_noun}; I could not disagree more.",
    "I expected {other_noun} and got {same_noun}.",
    "Every critic wrote that it is {other} and {other2}, and I wonder what film they saw.",
    "His previous film was {other_noun}; this is the opposite.",
    "I had read that {aspect} was {other}, which turned out to be false.",
    "If you think it will be {other} and {other2} like the book, think again.",
    "It could so easily have been {other_noun}, and it is not.",
)

IRONIC_PRAISE = (
    "What {good_noun}, if you enjoy watching a {job} stare at a wall for {minutes} minutes.",
    "It is so {good} that {company} fell asleep before the {job} arrived.",
    "You may call it {good}, provided that you never have to see it.",
    "How {good} of them to let us leave after {minutes} minutes.",
)

IRONIC_BLAME = (
    "What {bad_noun}, it made me miss my bus because I would not leave before the credits.",
    "My only complaint is how {bad} it felt when the lights came on and it was over.",
    "It is {bad} news for every other {kind} this year, because none will come close.",
    "How {bad} of them to stop after only {minutes} minutes.",
)

VERDICTS_PLAIN = (
    "In the end this is {same_noun}.",
    "All in all, {same_noun}.",
    "My verdict: {same} and {same2}.",
    "Taken as a whole it is {same}.",
    "So for me it is {same_noun}, {same} to the last minute.",
)

VERDICTS_TURNED = (
    "In the end this is not {other_noun}.",
    "Taken as a whole it is anything but {other}.",
    "{company} said {other_noun}, but I say {same_noun}.",
    "I wanted to call it {other}, but it is {same}.",
    "You will hear that it is {other}; do not believe it.",
    "It is not {other_noun} but {same_noun}.",
)
