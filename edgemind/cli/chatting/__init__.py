"""The interactive chat: one conversation, its commands, its editor and its page."""
