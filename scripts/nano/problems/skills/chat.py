"""Small talk, questions about the model itself, and requests that are out of its reach."""

from __future__ import annotations

from random import Random

from ..base import Draft, Family, Split, part, skill

_HELLO = Family(
    train=("Hi", "Hello", "Hello!", "Hey", "Hi there!", "Good morning", "Good evening!", "hey you",
           "hello there", "How are you?", "Hi, how are you?", "hi!", "Good day", "Thanks!",
           "Thank you", "Test", "Yo", "Are you there?", "thanks a lot", "bye", "Goodbye!"),
    valid=("Hey there",),
    held=("Hello, are you there?", "Hi, good morning", "Hey, hello!"),
)  # fmt: skip
_SELF = Family(
    train=("Who are you?", "What are you?", "What can you do?", "What is your name?",
           "Tell me about yourself.", "What are you good at?", "Are you a robot?", "Help",
           "How do you work?", "Who made you?", "Which model are you?", "What do you know?",
           "Can you help me?", "Are you a large model?", "what can i ask you"),
    valid=("What's your name?",),
    held=("Who are you and what can you do?", "Tell me what you can do.", "What model are you?"),
)  # fmt: skip
_TOPICS = (
    "the French Revolution", "Rome", "black holes", "the weather", "my garden", "love", "a dragon",
    "quantum physics", "the moon", "cats", "football", "tomato soup", "chocolate cake", "Paris",
    "democracy", "climate change", "Shakespeare", "the ocean", "a sad robot", "dogs", "music",
    "Napoleon", "the stock market", "ancient Egypt", "spring", "my cat", "pizza", "health",
    "the news", "computers", "trees", "volcanoes", "history", "art", "bread", "space", "God",
    "dinosaurs", "tea", "the internet",
)  # fmt: skip
_OUT = Family(
    train=("Write a poem about {x}.", "Tell me about {x}.", "What is {x}?", "Explain {x} to me.",
           "Write a story about {x}.", "Give me a recipe for {x}.", "Who invented {x}?",
           "Write a Python program about {x}.", "What do you think about {x}?",
           "Translate a text about {x} into French.", "Why is {x} important?",
           "Write an email about {x}.", "Tell me a joke about {x}.", "Summarise {x}.",
           "What is the history of {x}?", "Give me some facts about {x}.", "Sing a song about {x}.",
           "When did {x} begin?", "How does {x} work?", "Write code for {x}.",
           "What is the capital of France?", "Who was the first president?",
           "Who wrote Hamlet?", "Write a haiku.", "Tell me a joke.", "What is the meaning of life?",
           "Give me a recipe.", "Write a function that sorts a list.", "Tell me a story."),
    valid=("Describe {x}.",),
    held=("Write a song about {x}.", "Tell me a story about {x}.", "Can you explain {x}?"),
)  # fmt: skip
_HELLO_REPLY = (
    "Hello! I am a small arithmetic model. Ask me a problem with numbers.",
    "Hello! Give me a sum, a word problem, units or a clock time and I work it out.",
)
_SELF_REPLY = (
    "I am edgemind-nano, a small arithmetic model. I can work out sums, word problems, money, "
    "units and clock times step by step.",
    "I am edgemind-nano, a small arithmetic model. For other questions use a larger model with "
    "--model.",
)
_OUT_REPLY = (
    "I am a small arithmetic model and cannot help with that. A larger model can be used with "
    "--model.",
    "That is outside what I know: I am a small arithmetic model. Use a larger model with --model.",
)


@skill("chat", weight=0.35, scored=False)
def make_chat(rng: Random, level: int, split: Split) -> Draft:
    """A greeting, a question about the model, or an out-of-scope request."""
    roll = rng.random()
    if roll < 0.25:
        ask, reply = _HELLO.pick(rng, split), rng.choice(_HELLO_REPLY)
    elif roll < 0.5:
        ask, reply = _SELF.pick(rng, split), rng.choice(_SELF_REPLY)
    else:
        topic = rng.choice(part(split, _TOPICS))
        ask, reply = _OUT.pick(rng, split).format(x=topic), rng.choice(_OUT_REPLY)
    return Draft(ask, (reply,), "")
