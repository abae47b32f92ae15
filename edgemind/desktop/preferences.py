"""What is set, and how the window looks because of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from edgemind.conversation.effort import Effort
from edgemind.desktop.display import system_is_dark
from edgemind.desktop.look import Look
from edgemind.desktop.sheets import HelpSheet, SettingsSheet
from edgemind.desktop.shelf import Settings
from edgemind.settings import Key
from edgemind.settings_file import Value

if TYPE_CHECKING:
    from edgemind.desktop.control import Control


class Preferences(QObject):
    """The control's part for settings; `settings` are those that hold."""

    def __init__(self, control: Control, look: Look, settings: Settings) -> None:
        super().__init__(control)
        self._control, self.look, self.settings = control, look, settings
        self.sheet: SettingsSheet | None = None

    def apply(self, settings: Settings) -> None:
        """Look as it is set."""
        self.settings = settings
        before = self.look.theme
        if self.look.set_wanted(settings.config.desktop.theme) is before:
            self._show()
        else:  # the style sheet alone takes a while: the rest after the window had its turn
            QTimer.singleShot(0, self, self._show)

    def _show(self) -> None:
        theme, table = self.look.theme, self.settings.config.desktop
        self._control.window.set_theme(theme)
        if self.sheet is not None:
            self.sheet.set_theme(theme)
        self._control.window.page.set_look(theme, receipts=table.receipts, thoughts=table.thoughts)
        self._control.chats.show()

    def change(self, key: Key, value: Value | None) -> None:
        """Write one value into config.toml."""
        self._control.disk.do(
            lambda: self._control.shelf.set(key, value), self.apply, self._control.problem
        )

    def look_again(self) -> None:
        """The system may be light or dark now; asking it may take a while."""
        if self.look.asks:
            self._control.disk.do(system_is_dark, self.look.look_again)

    def toggle_theme(self) -> None:
        """Light where it is dark, and the other way round."""
        self.change(("desktop", "theme"), "light" if self.look.theme.mode == "dark" else "dark")

    def effort_changed(self, effort: Effort) -> None:
        self._control.effort = effort
        if ("desktop", "effort") not in self.settings.elsewhere:
            self.change(("desktop", "effort"), effort.name)

    def show_settings(self) -> None:
        """The settings' sheet."""
        self.sheet = SettingsSheet(
            self._control.window,
            self.look.theme,
            self.settings,
            self.change,
            self._control.chats.remove_kept,
        )
        self.sheet.open()

    def show_help(self) -> None:
        """The keys' sheet."""
        HelpSheet(self._control.window).open()
