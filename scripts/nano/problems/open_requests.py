"""Requests far from arithmetic, put together from frames and words: thousands of different ones.

Used by requests.py beside its fixed wordings. Some carry numbers that nothing is to be done with,
and some a word that does not exist, so that an unknown word alone decides nothing.
"""

from __future__ import annotations

from random import Random

from .base import Family, Split, part
from .spelling import made_up

_PEOPLE = """
Aristotle|Beethoven|Columbus|Darwin|Edison|Freud|Gandhi|Homer|Joan of Arc|Kafka|Lincoln|Marie Curie|
Newton|Picasso|Rembrandt|Stalin|Tesla|Tolstoy|Van Gogh|Vivaldi|Caesar|Queen Victoria|Churchill|
Galileo|Plato|Chopin|Dante|Nelson Mandela|Bach|Michelangelo|Charlie Chaplin|Marco Polo|Nietzsche|
Elvis|Hemingway|Alexander the Great|Genghis Khan|Confucius|Frida Kahlo|Jane Austen
""".replace("\n", "").split("|")
_COUNTRIES = """
France Spain Italy Norway Sweden Greece Turkey Egypt Kenya Ghana India China Japan Korea Thailand
Australia Canada Mexico Peru Chile Argentina Cuba Iceland Ireland Scotland Austria Hungary Poland
Finland Denmark Ukraine Russia Iran Israel Morocco Nigeria Ethiopia Indonesia Malaysia Nepal
Europe Africa Asia Texas California Berlin Madrid Lisbon Prague Moscow Cairo Delhi Beijing Sydney
Chicago Boston Dublin Oslo Athens Istanbul Naples Venice Hamburg Amsterdam
""".split()
_FOODS = """
risotto|pizza|curry|goulash|omelette|apple pie|ramen|tacos|hummus|paella|cheesecake|noodle soup|
meatballs|pumpkin bread|ratatouille|chili|dumplings|brownies|pickles|mashed potatoes|salsa|waffles|
fried eggs|lentils|tiramisu|garlic bread|beef stew|fish cakes|yoghurt|sourdough|jam|salad dressing|
mushroom sauce|roast chicken|porridge|gnocchi|pesto|quiche|banana bread|kimchi
""".replace("\n", "").split("|")
_SCIENCE = """
electricity|magnets|evolution|the immune system|lightning|rainbows|the ozone layer|comets|tides|
plate tectonics|cell division|atoms|light|sound waves|bacteria|the liver|blood|memory|dreams|glass|
iron|oxygen|acids|fossils|whales|bees|spiders|owls|sharks|mushrooms|deserts|glaciers|stars|Saturn|
radio waves|lasers|batteries|steam engines|nuclear power|genes|hormones|allergies|bones|the heart|
eclipses|hurricanes|snow|coral reefs|bats|elephants
""".replace("\n", "").split("|")
_EVENTS = """
the Cold War|the Renaissance|the Reformation|the Industrial Revolution|the American Civil War|
the Vietnam War|the fall of Constantinople|the moon landing|the Boston Tea Party|the Great Fire|
the Spanish Armada|the Gold Rush|the Russian Revolution|the Olympic Games|the Hundred Years War|
the Ottoman Empire|the Vikings|the samurai|slavery|the Inca|the Silk Road|the Great Depression|
the printing press|the Stone Age|the Bronze Age|the Aztecs|the Crusades|colonialism|feudalism|
the Holy Grail
""".replace("\n", "").split("|")
_CODE = """
Python|JavaScript|Java|C|C++|Go|Rust|SQL|HTML|CSS|PHP|Bash|Excel|Docker|Linux|Windows|git|Kotlin|
Swift|Haskell|TypeScript|LaTeX|Perl|Ruby
""".replace("\n", "").split("|")
_CODE_THINGS = """
a web server|a login form|a binary tree|a chat bot|a to-do list|a snake game|a file parser|
a hash table|a queue|a regular expression|a unit test|a thread|an API|a database|a loop over files|
a timer|a linked list|a web scraper|a password checker|a string parser|a decorator|a closure|
a pointer|an exception|a package|a JSON file|a CSV reader|a menu|a button|a stack trace
""".replace("\n", "").split("|")
_LANGUAGES = """
French German Spanish Italian Dutch Danish Greek Latin Turkish Arabic Hebrew Hindi Chinese Korean
Japanese Russian Czech Finnish Portuguese Swedish Welsh
""".split()
_PHRASES = """
how are you|see you tomorrow|I am hungry|the train is late|happy birthday|where is the toilet|
good luck|I miss you|it is raining|my name is Max|the cat sleeps|excuse me|one coffee please|
I do not understand|thank you very much|the book is on the table|welcome home|get well soon|
he went home early|we are going to the beach
""".replace("\n", "").split("|")
_BODY = """
head|back|stomach|throat|knee|foot|ear|tooth|eye|shoulder|skin|hand|neck|ankle|chest|hip
""".strip().split("|")
_ILLS = """
hurts|itches|is swollen|is red|feels numb|burns|aches at night|feels stiff|is sore|keeps cramping
""".strip().split("|")
_RELATIVES = """
mother|father|brother|sister|boss|neighbour|friend|girlfriend|boyfriend|husband|wife|son|daughter|
grandmother|uncle|aunt|teacher|colleague|landlord|roommate|cousin|dog|cat|baby
""".replace("\n", "").split("|")
_MOODS = (
    """
is angry with me|does not talk to me|never listens|is always late|lies to everybody|wants to move
out|is sad all day|snores|has lost his job|forgot my birthday|feels lonely|will not eat|is jealous|
drinks too much|cannot sleep|barks all night|broke my phone|hates school|is very shy|wants a divorce
""".replace("\n", " ")
    .replace("| ", "|")
    .strip()
    .split("|")
)
_THINGS = """
bicycle|washing machine|laptop|phone|printer|car|fridge|guitar|piano|sofa|lawn mower|oven|camera|
window|door|roof|boiler|shoes|coat|watch|backpack|tent|bookshelf|sink|carpet|garden hose|radio|
headphones|router|keyboard
""".replace("\n", "").split("|")
_ACTIVITIES = """
swimming|knitting|chess|painting|running|yoga|hiking|dancing|cooking|gardening|fishing|skiing|
playing the violin|learning to drive|meditation|photography|singing|surfing|writing a diary|
camping|sewing|juggling|public speaking|saving water|studying|growing roses|keeping bees|archery
""".replace("\n", "").split("|")
_ART = """
jazz|opera|rock music|film noir|a comedy|a musical|a thriller|a love song|ballet|hip hop|a western|
science fiction|a fairy tale|a novel|a comic|street art|the cello|a documentary|folk songs|
impressionism
""".replace("\n", "").split("|")
_MOOD_WORDS = """
short funny sad long romantic scary polite formal cheerful strange beautiful boring simple modern
angry silly gentle dark happy serious
""".split()
_WORDS = {
    "p": _PEOPLE, "c": _COUNTRIES, "f": _FOODS, "s": _SCIENCE, "e": _EVENTS, "k": _CODE,
    "K": _CODE_THINGS, "l": _LANGUAGES, "q": _PHRASES, "b": _BODY, "i": _ILLS, "r": _RELATIVES,
    "m": _MOODS, "o": _THINGS, "a": _ACTIVITIES, "A": _ART, "j": _MOOD_WORDS,
}  # fmt: skip
# Where a word that does not exist may stand.
_OPEN = "pcfseaA"
FRAMES = (
    Family(  # History and people.
        train=("Who was {p}?", "When was {p} born?", "Where did {p} live?", "How did {p} die?",
               "What is {p} famous for?", "Give me a biography of {p}.", "Did {p} ever meet {p2}?",
               "What caused {e}?", "When did {e} start?", "Who took part in {e}?", "{e}, explain",
               "Tell me about {e} in {n} sentences.", "What changed after {e}?", "Why did {e} end?",
               "What happened in {c} in {y}?", "Who ruled {c} in {y}?", "Which king built {o}s?",
               "Compare {p} and {p2}.", "Was {p} a good person?", "what did {p} write",
               "Name {n} important people of {e}.", "How was daily life during {e}?",
               "I have to write about {e} for school, help me.", "Quote {p}.",
               "Did {e} reach {c}?", "Who came before {p}?", "Who won the {y} election in {c}?"),
        valid=("What do historians say about {e}?",),
        held=("How did {e} affect {c}?", "What did {p} do in {y}?"),
    ),
    Family(  # Geography, travel.
        train=("What is the capital of {c}?", "Where is {c}?", "Which sea is near {c}?",
               "What should I see in {c}?", "How do I get to {c}?", "Is {c} safe for tourists?",
               "When is the best time to visit {c}?", "What do people eat in {c}?",
               "How big is {c}?", "What is the currency of {c}?", "Which cities are in {c}?",
               "Plan {n} days in {c} for me.", "What is the weather in {c}?", "Who leads {c}?",
               "I want to move to {c}. What do I need?", "Is {c} bigger than {c2}?",
               "Name {n} mountains in {c}.", "Book me a flight to {c}.", "hotels in {c}",
               "What is the population of {c}?", "Which animals live in {c}?",
               "What time is it in {c}?", "What religion do they have in {c}?",
               "Describe the flag of {c}.", "Are people friendly in {c}?"),
        valid=("Which rivers are there in {c}?",),
        held=("Which country lies north of {c}?", "Is it cold in {c} in winter?"),
    ),
    Family(  # Food.
        train=("How do I make {f}?", "recipe for {f}", "What goes into {f}?", "Is {f} healthy?",
               "How long does {f} keep?", "My {f} tastes of nothing. Why?", "Can I freeze {f}?",
               "What can I drink with {f}?", "Is there a {f} without milk?", "Who invented {f}?",
               "Which {f} is the best?", "How do I warm up {f}?", "Give me {n} ideas for {f}.",
               "I burnt the {f}. What now?", "Can dogs eat {f}?", "a {j} dinner with {f} please",
               "What is the difference between {f} and {f2}?", "How do I season {f}?",
               "Where does {f} come from?", "Tell me how {f} is made in {c}.",
               "Do I need an oven for {f}?", "Which spices belong in {f}?"),
        valid=("How do you serve {f}?",),
        held=("What is the secret of good {f}?", "How do I prepare {f} for a party?"),
    ),
    Family(  # Science and nature.
        train=("How does {s} work?", "What is {s}?", "Why is there {s}?", "What are {s} made of?",
               "Explain {s} like I am {n}.", "Who discovered {s}?", "Are {s} dangerous?",
               "Where do {s} come from?", "Tell me {n} facts about {s}.", "Why do we need {s}?",
               "What would happen without {s}?", "How are {s} and {s2} related?", "{s}?",
               "Can you see {s} from space?", "What is the opposite of {s}?", "Is {s} real?",
               "Draw a picture of {s}.", "How do scientists study {s}?", "why does {s} exist",
               "What do {s} eat?", "Since when do we know about {s}?", "Is {s} bad, really?",
               "Give a {j} definition of {s}.", "What is new in the research on {s}?"),
        valid=("What do we know about {s}?",),
        held=("What makes {s} possible?", "How would you describe {s} to a child?"),
    ),
    Family(  # Writing and fun.
        train=("Write a {j} poem about {s}.", "Write a {j} story with {p}.", "A {j} joke please.",
               "Write a {j} email to my {r}.", "Write {n} lines about {a}.", "Tell me a riddle.",
               "Write a dialogue between {p} and {p2}.", "Make up a {j} song on {f}.",
               "Write a {j} review of {A}.", "Write a {j} card for my {r}.", "Start a story.",
               "Think of a title for {A}.", "Write a {j} ad for a {o}.", "Reword: my {r} {m}.",
               "Give me {n} names for my {r}.", "Make this sentence {j}: the {o} is broken.",
               "A tale about {s} and {f}, please.", "haiku, {s}", "Invent a world without {s}.",
               "Write a scene in which {p} tries {a}.", "Describe {c} in {j} words.",
               "Write an invitation to {a}.", "Write a speech for my {r}.", "Say something {j}."),
        valid=("Put {s} into a {j} poem.",),
        held=("I would like a {j} tale about my {r}.", "Make a {j} verse out of this: {q}"),
    ),
    Family(  # Code.
        train=("Write {K} in {k}.", "How do I write {K} in {k}?", "What is {K}?", "Debug my {k}.",
               "Why is {k} so slow?", "Is {k} better than {k2}?", "How do I install {k}?",
               "Teach me {k}.", "What is new in {k}?", "Explain {K} in {k}.", "learn {k} how",
               "How can I test {K}?", "My {k} program does not start.", "Refactor this {k} code.",
               "Which library for {K} in {k}?", "Show me an example of {K}.", "Who invented {k}?",
               "Convert my {k} to {k2}.", "{k} says permission denied, what do I do?",
               "Should I learn {k} or {k2}?", "What does {K} do?", "Open {K} in {k}.",
               "I get an error in {k} when I make {K}."),
        valid=("Build {K} with {k}.",),
        held=("Could you code {K} in {k} for me?", "How is {K} done in {k}?"),
    ),
    Family(  # Language.
        train=("Translate '{q}' into {l}.", "How do you say '{q}' in {l}?", "{q} in {l}",
               "Is '{q}' correct English?", "What does '{q}' mean?", "Make '{q}' more {j}.",
               "Teach me some {l}.", "Is {l} hard to learn?", "Write '{q}' in {l} letters.",
               "What is the {l} word for {o}?", "Spell check: {q}", "Where do they speak {l}?",
               "Say '{q}' in a {j} way.", "Explain the grammar of '{q}'.", "Rhyme on {o}.",
               "What is another word for {j}?", "Turn '{q}' into a question.",
               "Use the word {j} in a sentence.", "How is {o} pronounced?"),
        valid=("Give me the {l} for '{q}'.",),
        held=("I need '{q}' in {l}.", "What would a {l} speaker say for {o}?"),
    ),
    Family(  # Health, law, money, life.
        train=("My {b} {i}. What should I do?", "My {b} {i} since {n} days.", "Why does it hurt in "
               "my {b}?", "Which doctor is right for my {b}?", "What helps when the {b} {i}?",
               "My {r} {m}. What can I do?", "I think my {r} {m}.", "Can my {r} sue me?",
               "My {r} {m} and I am {j}.", "How do I talk to my {r}?", "May I sell my {o}?",
               "Do I have to pay tax on my {o}?", "Should I buy a new {o}?", "I am so {j} today.",
               "How do I stop being {j}?", "Is it normal to feel {j}?", "I lost my {o}.",
               "Which insurance covers a {o}?", "Which shares should I buy in {y}?",
               "What is a good gift for my {r}?", "Which pills help against pain in the {b}?",
               "Who gets the {o} after a divorce?", "How do I become rich?", "Help me with my {r}.",
               "What should I say to my {r}?", "Am I allowed to keep a {o} at work?"),
        valid=("What can I do if my {r} {m}?",),
        held=("Is it serious if my {b} {i}?", "What are my rights if my {o} breaks?"),
    ),
    Family(  # Everyday, opinions, devices.
        train=("How do I fix my {o}?", "Which {o} should I get?", "My {o} is broken.",
               "How do I clean my {o}?", "How do I start with {a}?", "Is {a} fun?", "You like {A}?",
               "Recommend {A}.", "What do you think of {A}?", "Who is the best at {a}?",
               "Give me {n} tips for {a}.", "Is {a} good for my {b}?", "What is {A} about?",
               "Who made {A}?", "What is the best {A} of {y}?", "Play {A}.", "Turn off the {o}.",
               "Set an alarm.", "Call my {r}.", "Send my {r} a message.", "Show me the news.",
               "Search the web for {a}.", "What should I do this weekend?", "I am bored.",
               "Why do people like {a}?", "What do I need for {a}?", "What is better, {a} or {a2}?",
               "Can {a} change my life?", "Who will win the match in {c}?", "Will it snow in {c}?",
               "Sell my {o}.", "Take a note: {q}", "What is the meaning of {A}?", "Is {c} at war?",
               "The {o} makes a {j} noise.", "What did the president of {c} say?"),
        valid=("How can I get better at {a}?",),
        held=("Which {o} do you recommend?", "What would you do without {a}?"),
    ),
    Family(  # Noise and other languages.
        train=("asdf", "{w} {w2}", "{w}", "blah {w}", "{w} {w2} {o} {w3}", "...", "hmm", "why",
               "Wie geht es dir?", "Was ist {w}?", "Bonjour, qui est {p}?", "Donde esta {c}?",
               "Erklaere mir {e}.", "Quelle heure est-il?", "Kannst du mir helfen?", "Que es {w}?",
               "Come si fa {f}?", "the {o} of my {r}", "{j} {j}", "What is {w}?", "Explain {w}.",
               "I have no idea what {w} means.", "Tell me about {w} and {w2}.", "{o}", "{c}!"),
        valid=("Wer war {p}?",),
        held=("What does {w} stand for?", "Ou se trouve {c}?"),
    ),
)  # fmt: skip


def open_request(rng: Random, split: Split) -> str:
    """One request; its words belong to the split, its frame is a common or the split's own one."""
    words: dict[str, object] = {
        "n": rng.randint(2, 12),
        "y": rng.randint(1200, 2025),
    }
    for mark, entries in _WORDS.items():
        own = part(split, entries)
        one, two = rng.sample(list(own), 2) if len(own) > 1 else (own[0], own[0])
        if mark in _OPEN and rng.random() < 0.12:
            one = made_up(rng, rng.randint(2, 3))
        words[mark], words[f"{mark}2"] = one, two
    for mark in ("w", "w2", "w3"):
        words[mark] = made_up(rng, rng.randint(1, 3))
    return rng.choice(FRAMES).say(rng, split, **words)
