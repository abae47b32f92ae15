"""Greetings, questions about the model, requests out of its reach, and what it says to them.

Used by the skills chat (alone) and dialogue (between problems).
"""

from __future__ import annotations

from random import Random

from .base import Family, Split, part
from .open_requests import open_request

HELLO = Family(
    train=("Hi", "Hello", "Hello!", "Hey", "Hi there!", "Good morning", "Good evening!", "hey you",
           "hello there", "How are you?", "Hi, how are you?", "hi!", "Good day", "Thanks!",
           "Thank you", "Test", "Yo", "Are you there?", "thanks a lot", "bye", "Goodbye!", "ok",
           "Good night", "Nice to meet you.", "What's up?", "hiya", "Great, thanks", "That's all.",
           "Cool!", "Hello friend", "How is it going?", "hello, anyone there?", "see you"),
    valid=("Hey there", "Thank you, bye"),
    held=("Hello, are you there?", "Hi, good morning", "Hey, hello!", "Good to see you", "Howdy"),
)  # fmt: skip
SELF = Family(
    train=("Who are you?", "What are you?", "What can you do?", "What is your name?",
           "Tell me about yourself.", "What are you good at?", "Are you a robot?", "Help",
           "How do you work?", "Who made you?", "Which model are you?", "What do you know?",
           "Can you help me?", "Are you a large model?", "what can i ask you", "Are you human?",
           "What kind of questions can I ask?", "How can you help me?", "Introduce yourself.",
           "What are your limits?", "Are you an AI?", "Can you do maths?", "How big are you?",
           "What should I ask you?", "Can you write text?", "do you know everything?"),
    valid=("What's your name?", "What can't you do?"),
    held=("Who are you and what can you do?", "Tell me what you can do.", "What model are you?",
          "What are you able to do?", "Describe yourself."),
)  # fmt: skip
TOPICS = (
    "the French Revolution", "Rome", "black holes", "the weather", "my garden", "love", "a dragon",
    "quantum physics", "the moon", "cats", "football", "tomato soup", "chocolate cake", "Paris",
    "democracy", "climate change", "Shakespeare", "the ocean", "a sad robot", "dogs", "music",
    "Napoleon", "the stock market", "ancient Egypt", "spring", "my cat", "pizza", "health",
    "the news", "computers", "trees", "volcanoes", "history", "art", "bread", "space", "God",
    "dinosaurs", "tea", "the internet", "elections", "the president", "vaccines", "a headache",
    "Mozart", "the Roman Empire", "photosynthesis", "gravity", "DNA", "the pyramids", "autumn",
    "a broken heart", "my boss", "the war", "inflation", "a knight and a princess", "sushi",
    "pasta with mushrooms", "the brain", "philosophy", "Einstein", "Mars", "sleep", "my mother",
    "chess", "London", "the Beatles", "religion", "coffee", "an old lighthouse", "tigers",
    "yoga", "the economy", "films", "Germany", "a lost key", "friendship", "rain", "robots",
)  # fmt: skip
# By field; {x} is a topic. The held-out wordings of all fields are apart from all others.
_FIELDS = (
    Family(  # Writing.
        train=("Write a poem about {x}.", "Write a story about {x}.", "Write a haiku about {x}.",
               "Write an email about {x}.", "Tell me a joke about {x}.", "Sing a song about {x}.",
               "Write a haiku.", "Tell me a joke.", "Tell me a story.", "poem about {x} please",
               "Write an essay on {x}.", "Make up a rhyme about {x}.", "Write a letter to my aunt.",
               "Invent a slogan for {x}.", "Write three sentences about {x}.", "Continue this "
               "story: Once upon a time there was {x}.", "Write a tweet about {x}."),
        valid=("Compose a verse about {x}.",),
        held=("Write a song about {x}.", "Tell me a story about {x}.", "I need a speech on {x}."),
    ),
    Family(  # Knowledge.
        train=("Tell me about {x}.", "What is {x}?", "Explain {x} to me.", "Who invented {x}?",
               "Why is {x} important?", "What is the history of {x}?", "When did {x} begin?",
               "Give me some facts about {x}.", "How does {x} work?", "What do you know about {x}?",
               "What is the capital of France?", "Who was the first president?",
               "Who wrote Hamlet?", "What is the meaning of life?", "Who discovered America?",
               "What is the largest planet?", "Which language do they speak in Brazil?",
               "When was the first world war?", "What colour is the sky?", "Define {x}.",
               "Who painted the Mona Lisa?", "What happened in 1945?", "In which year did {x} end?",
               "What is the tallest mountain?", "Name three rivers in Europe.",
               "How old is the universe?", "What does {x} mean?", "Is it true that {x} is old?"),
        valid=("Describe {x}.", "What is the capital of Spain?"),
        held=("Can you explain {x}?", "What is the capital of Italy?", "Who was Cleopatra?",
              "Give me a short introduction to {x}."),
    ),
    Family(  # Recipes and everyday advice.
        train=("Give me a recipe for {x}.", "Give me a recipe.", "How do I cook rice?",
               "How do I bake {x}?", "What should I eat tonight?", "What should I wear today?",
               "How can I sleep better?", "Plan a trip to {x}.", "Recommend a book about {x}.",
               "Which film should I watch?", "How do I fix my bike?", "What goes well with {x}?",
               "How do I get rid of ants?", "Give me tips for {x}.", "Find me a good restaurant."),
        valid=("How is {x} prepared?",),
        held=("What do I need for cooking {x}?", "Suggest a gift for my sister.",
              "How do I clean a window?"),
    ),
    Family(  # Code.
        train=("Write a Python program about {x}.", "Write code for {x}.", "Write a function that "
               "sorts a list.", "Write a website.", "Fix the bug in my program.",
               "How do I install "
               "Linux?", "Write a regex for email addresses.", "Explain what a class is in Java.",
               "Write SQL that lists all users.", "Why does my code crash?", "Write a shell script "
               "that deletes old files.", "What is the difference between C and Rust?",
               "Make an app for {x}.", "Write a test for my function."),
        valid=("Program a game about {x}.",),
        held=("Write a JavaScript function for {x}.", "Code a calculator in Java.",
              "How do I use git?"),
    ),
    Family(  # Translation and language.
        train=("Translate a text about {x} into French.", "Translate 'good morning' into Spanish.",
               "How do you say {x} in German?", "Correct my grammar: he go home.",
               "Summarise {x}.", "What is a synonym for happy?", "Summarise this article.",
               "What rhymes with house?", "Is this sentence correct?", "Translate {x}.",
               "Say hello in Italian.", "What is the plural of mouse?"),
        valid=("Put {x} into Latin.",),
        held=("Translate 'I love you' into French.", "What is the Spanish word for {x}?",
              "Shorten this text about {x}."),
    ),
    Family(  # Medicine, law, money matters.
        train=("I have a headache, what should I do?", "Is {x} bad for me?", "Which medicine helps "
               "with a cold?", "Do I have the flu?", "Can I sue my neighbour?",
               "Should I buy shares?",
               "My knee hurts.", "What are the symptoms of {x}?", "Is my contract valid?",
               "How do I lose weight?", "What does my dream mean?", "Should I see a doctor?"),
        valid=("Can I take aspirin with wine?",),
        held=("I feel dizzy, what is wrong with me?", "Which vitamins should I take?",
              "Is it legal to copy a film?"),
    ),
    Family(  # Opinions and current events.
        train=("What do you think about {x}?", "Who won the match yesterday?",
               "What is the weather "
               "like?", "Who is the president now?", "What is new about {x}?", "Do you like {x}?",
               "Which is better, {x} or tea?", "Who will win the election?", "What time is it now?",
               "What is today's news?", "Is {x} good or bad?", "What is your favourite colour?",
               "Do you believe in {x}?", "Will it rain tomorrow?", "Who is the richest person?",
               "How is the stock market today?", "What should I think of {x}?"),
        valid=("What is your view on {x}?",),
        held=("Give me your opinion on {x}.", "What happened in the news this week?",
              "Are you for or against {x}?"),
    ),
)  # fmt: skip
_HELLO_REPLY = (
    "Hello! I am a small arithmetic model. Ask me a problem with numbers.",
    "Hello! Give me a sum, a word problem, units or a date and I work it out.",
)
_SELF_REPLY = (
    "I am edgemind-nano, a small arithmetic model. I work out sums, word problems, money, units, "
    "dates and small puzzles step by step.",
    "I am edgemind-nano, a small arithmetic model. For other questions use a larger model with "
    "--model.",
)
_OUT_REPLY = (
    "I am a small arithmetic model and cannot help with that. A larger model can be used with "
    "--model.",
    "That is outside what I know: I am a small arithmetic model. Use a larger model with --model.",
)


def hello_reply(rng: Random) -> str:
    """What the model says to a greeting."""
    return rng.choice(_HELLO_REPLY)


def self_reply(rng: Random) -> str:
    """What the model says about itself."""
    return rng.choice(_SELF_REPLY)


def out_of_scope(rng: Random, split: Split) -> tuple[str, str]:
    """A request from any field, and the one sentence that the model has for it."""
    if rng.random() < 0.65:
        return open_request(rng, split), rng.choice(_OUT_REPLY)
    field = rng.choice(_FIELDS)
    topic = rng.choice(part(split, TOPICS))
    return field.say(rng, split, x=topic), rng.choice(_OUT_REPLY)
