"""Answers with a form: grammars, and JSON schemas as grammars. Knows no engine and no model."""
