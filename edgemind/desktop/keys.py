"""Everything that the window does on a key: one table for its actions and for the help sheet."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One action: its name in the code, its keys, and what it does in a person's words.

    `fixed` keys belong to a control (Enter in the prompt) and are listed only.
    """

    name: str
    keys: str
    says: str
    fixed: bool = False


GROUPS: dict[str, tuple[Key, ...]] = {
    "Asking": (
        Key("send", "Return", "Send the prompt", fixed=True),
        Key("line", "Shift+Return", "A new line in the prompt", fixed=True),
        Key("earlier", "Up", "In an empty prompt: the last one again", fixed=True),
        Key("stop", "Esc", "Stop: the best answer so far"),
        Key("again", "Ctrl+R", "Another answer to the last prompt"),
        Key("attach", "Ctrl+O", "Put a text file before the prompt, or open a model"),
        Key("prompt", "Ctrl+L", "Go to the prompt"),
    ),
    "How hard to think": (
        Key("quick", "Ctrl+1", "Quick"),
        Key("balanced", "Ctrl+2", "Balanced"),
        Key("thorough", "Ctrl+3", "Thorough"),
        Key("limits", "Ctrl+4", "Limits of your own: seconds, joules, tokens"),
    ),
    "Answers": (
        Key("copy", "Ctrl+Shift+C", "Copy the last answer"),
        Key("thinking", "Ctrl+T", "Fold or unfold the last answer's thinking"),
        Key("why", "Ctrl+I", "Why it thought so hard, and where the budget went"),
    ),
    "Conversations": (
        Key("new", "Ctrl+N", "A new conversation"),
        Key("search", "Ctrl+F", "Search the conversations"),
        Key("next", "Alt+Down", "The next conversation"),
        Key("previous", "Alt+Up", "The conversation before"),
        Key("remove", "Del", "In the list: remove the conversation", fixed=True),
    ),
    "Window": (
        Key("model", "Ctrl+M", "Choose a model"),
        Key("side", "Ctrl+B", "Show or hide the conversations"),
        Key("theme", "Ctrl+D", "Light or dark"),
        Key("settings", "Ctrl+,", "Settings"),
        Key("help", "F1", "This sheet"),
        Key("quit", "Ctrl+Q", "Leave"),
    ),
}

KEYS = {one.name: one for group in GROUPS.values() for one in group}


def tip(says: str, name: str) -> str:
    """A tool tip that names the key."""
    return f"{says} ({KEYS[name].keys})"
