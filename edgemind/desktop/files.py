"""Models and documents: chosen, dropped, loaded, attached."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QFileDialog

from edgemind.desktop.shelf import ModelRow, is_model, model_in, same_path

if TYPE_CHECKING:
    from edgemind.desktop.control import Control

MOST_DOCUMENTS = 8


class Files(QObject):
    """The control's part for files. `ready` says that there is a model to ask."""

    def __init__(self, control: Control) -> None:
        super().__init__(control)
        self._control = control
        self._window = control.window
        self.ready = False
        self.path: Path | None = None
        self.documents: list[tuple[str, str]] = []
        self._window.picker.chosen.connect(lambda row: self.open_model(row.path))
        self._window.picker.browse.connect(self.browse)

    # Models

    def open_model(
        self, model: str | Path | None, *, first: bool = False, offer: bool = False
    ) -> None:
        """Load a model in its thread; the one before goes on where that fails.

        With `offer` it may be added to the person's models afterwards.
        """
        self._control.when_idle(lambda: self._load(model, first, offer))

    def _load(self, model: str | Path | None, first: bool, offer: bool) -> None:
        control, window = self._control, self._window
        self.ready = False
        window.composer.set_state(busy=False, ready=False)
        before = (window.model.text(), window.facts.text())
        window.show_model("Loading the model…", "" if model is None else str(model))

        def came(found: tuple[str, Path, tuple[str, ...]]) -> None:
            name, self.path, notices = found
            self.ready = True
            window.show_model(name, "")
            window.composer.set_state(busy=control.busy, ready=True)
            for notice in notices:
                window.notice.say(notice)
            if offer:
                self._offer(self.path, name)
            path = self.path
            control.disk.do(lambda: control.shelf.row(path), lambda row: self._facts(name, row))
            control.opened.emit(name)

        def failed(error: Exception) -> None:
            self.ready = control.model.talk is not None
            window.show_model(*(before if self.ready else ("Choose a model", "")))
            window.composer.set_state(busy=control.busy, ready=self.ready)
            control.problem(error)
            control.opened.emit("")

        control.thinker.do(lambda: control.model.open(model, first=first), came, failed)

    def _facts(self, name: str, row: ModelRow) -> None:
        self._window.show_model(name, row.facts, f"{row.path}\n{row.memory}")

    def _offer(self, path: Path, name: str) -> None:
        control = self._control

        def told(rows: list[ModelRow]) -> None:
            if any(same_path(row.path, path) for row in rows):
                return
            self._window.notice.say(
                f"{name} answers now.", does="Add to my models", do=lambda: self._add(path)
            )

        control.disk.do(control.shelf.models, told, control.problem)

    def _add(self, path: Path) -> None:
        def added(row: ModelRow) -> None:
            self._window.notice.say(f"{row.name} is one of your models now; its file stays there.")

        control = self._control
        control.disk.do(lambda: control.shelf.add(path), added, control.problem)

    def show_models(self) -> None:
        """The list of models, under the model's name."""
        control, button = self._control, self._window.model

        def came(rows: list[ModelRow]) -> None:
            place = button.mapToGlobal(QPoint(0, button.height() + 4))
            self._window.picker.open_under(place, rows, self.path)

        control.disk.do(control.shelf.models, came, control.problem)

    # Documents

    def browse(self) -> None:
        """Choose files: documents and models."""
        dialog = QFileDialog(self._window, "Put text files before the prompt, or open a model")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda names: self.take([Path(name) for name in names]))
        dialog.open()

    def take(self, paths: Sequence[Path]) -> None:
        """What was dropped or chosen: a model is loaded, a text goes before the next prompt."""
        control = self._control
        for path in paths[:MOST_DOCUMENTS]:
            control.disk.do(
                lambda path=path: (  # type: ignore[misc]
                    model_in(path) if is_model(path) else control.shelf.document(path)
                ),
                self._taken,
                control.problem,
            )
        if len(paths) > MOST_DOCUMENTS:
            self._window.notice.say(f"The first {MOST_DOCUMENTS} files were taken.", bad=True)

    def _taken(self, found: Path | tuple[str, str]) -> None:
        if isinstance(found, Path):
            self.open_model(found, offer=True)
            return
        self.documents.append(found)
        self._show_documents()
        self._window.composer.prompt.setFocus()

    def clear_documents(self) -> None:
        """They were asked about."""
        self.documents.clear()
        self._show_documents()

    def _remove(self, place: int) -> None:
        if place < len(self.documents):
            del self.documents[place]
        self._show_documents()

    def _show_documents(self) -> None:
        names = [name for name, _ in self.documents]
        self._window.composer.show_documents(names, self._remove)
