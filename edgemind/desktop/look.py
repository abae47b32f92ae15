"""Light or dark: as the person wants it, or as the system is."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication

from edgemind.desktop.display import system_is_dark
from edgemind.desktop.theme import DARK, LIGHT, Theme, palette, style_sheet


class Look(QObject):
    """The application's colours. `changed` gives a theme that came by itself."""

    changed = Signal(object)

    def __init__(self, app: QApplication, wanted: str, base: int) -> None:
        super().__init__()
        self._app, self._wanted, self._base = app, "", base
        self._dark = self._asks(wanted) and system_is_dark()
        self.theme = self._theme(wanted)
        app.styleHints().colorSchemeChanged.connect(lambda _: self.look_again())
        self.set_wanted(wanted)

    def set_wanted(self, wanted: str) -> Theme:
        """`light`, `dark` or `system`; the theme that it is now."""
        if wanted != self._wanted:
            self._wanted = wanted
            self._apply(self._theme(wanted))
        return self.theme

    @property
    def asks(self) -> bool:
        """Whether the system is to be followed and Qt cannot tell how it is."""
        return self._asks(self._wanted)

    def _asks(self, wanted: str) -> bool:
        unknown = self._app.styleHints().colorScheme() == Qt.ColorScheme.Unknown
        return wanted == "system" and bool(unknown)

    def look_again(self, dark: bool | None = None) -> None:
        """Follow the system, where that is wanted; `dark` is what `system_is_dark` says of it."""
        self._dark = self._dark if dark is None else dark
        theme = self._theme(self._wanted)
        if theme != self.theme:
            self._apply(theme)
            self.changed.emit(theme)

    def _theme(self, wanted: str) -> Theme:
        dark = wanted == "dark"
        if wanted == "system":
            scheme = self._app.styleHints().colorScheme()
            known = scheme != Qt.ColorScheme.Unknown
            dark = scheme == Qt.ColorScheme.Dark if known else self._dark
        return replace(DARK if dark else LIGHT, base=self._base)

    def _apply(self, theme: Theme) -> None:
        self.theme = theme
        self._app.setPalette(palette(theme))
        self._app.setStyleSheet(style_sheet(theme))
