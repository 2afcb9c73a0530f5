"""Recordings: whole, in time, and never in the way of the picture."""

from __future__ import annotations

import logging
import os
import queue
import threading
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from PIL import Image

from installation.output import recorder
from installation.output.movie import Movie, part_of
from installation.output.recorder import Recorder, RecorderError
from tests import music
from tests.waiting import until


def picture(index: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """A white bar that moves over a coloured ground."""
    out = np.full((size[1], size[0], 3), (200, 60, 40), np.uint8)
    out[:, index % size[0] : index % size[0] + 8] = 255
    return out


def played(path: Path) -> tuple[list[float], list[np.ndarray]]:
    """Times in seconds and pictures, as a player sees them."""
    with av.open(str(path)) as movie:
        frames = list(movie.decode(video=0))
        assert movie.streams.video[0].codec_context.pix_fmt == "yuv420p"
    return [frame.time for frame in frames], [frame.to_ndarray(format="rgb24") for frame in frames]


def test_offline_keeps_every_frame(tmp_path: Path) -> None:
    path = tmp_path / "new" / "clip.mp4"
    record = Recorder(path, (64, 48), 30, waiting=2)
    for index in range(90):
        record.write(picture(index))
    result = record.close()
    assert (result.frames, result.dropped, result.failure) == (90, 0, "")
    assert result.seconds == pytest.approx(3)
    times, pictures = played(path)
    assert times == pytest.approx([index / 30 for index in range(90)], abs=1e-4)
    assert np.abs(pictures[40].astype(int) - picture(40))[:, 2:-2].mean() < 6
    with av.open(str(path)) as movie:
        assert movie.duration / av.time_base == pytest.approx(3, abs=0.05)
    assert list(path.parent.iterdir()) == [path]  # no half-written file is left beside it


def heard(path: Path) -> np.ndarray:
    """The sound of a movie, (channels, samples), as a player hears it."""
    with av.open(str(path)) as movie:
        frames = list(movie.decode(audio=0))
    assert frames[0].pts == 0
    return np.concatenate([frame.to_ndarray() for frame in frames], 1)


def test_sound_lies_where_it_lay_in_its_file(tmp_path: Path) -> None:
    clicks, at = np.zeros(3 * music.RATE), [0.5, 1.25, 2.7]
    for second in at:
        clicks[round(second * music.RATE) :][:200] = 0.8
    song = music.write(tmp_path / "song.wav", clicks)
    record = Recorder(tmp_path / "a.mp4", (64, 48), 30, sound=song)
    for index in range(90):
        record.write(picture(index))
    assert record.close().failure == ""
    sound = heard(tmp_path / "a.mp4")
    assert sound.shape == (2, pytest.approx(3 * music.RATE, abs=1024))
    loud = np.flatnonzero(np.abs(sound[0]) > 0.4)
    begun = loud[np.diff(loud, prepend=-9999) > 9999] / music.RATE
    assert begun == pytest.approx(at, abs=0.001)
    assert np.abs(sound).max() == pytest.approx(0.8, abs=0.15)


@pytest.mark.parametrize(("song", "pictures"), [(1.0, 90), (3.0, 30)])
def test_a_movie_is_as_long_as_its_pictures(tmp_path: Path, song: float, pictures: int) -> None:
    file = music.write(tmp_path / "song.wav", music.drums(120, song))
    record = Recorder(tmp_path / "a.mp4", (64, 48), 30, sound=file)
    for index in range(pictures):
        record.write(picture(index))
    record.close()
    times, _ = played(tmp_path / "a.mp4")
    assert len(times) == pictures
    seconds = heard(tmp_path / "a.mp4").shape[1] / music.RATE
    assert seconds == pytest.approx(1, abs=0.03)


def test_with_sound_it_is_the_same_twice(tmp_path: Path) -> None:
    song = music.write(tmp_path / "song.wav", music.drums(120, 2))
    for name in ("a.mp4", "b.mp4"):
        record = Recorder(tmp_path / name, (64, 48), 30, sound=song)
        for index in range(60):
            record.write(picture(index))
        record.close()
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_a_program_that_was_made_nice_records_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody but root may become less nice again."""
    asked = []

    def refuse(_which: int, _who: int, value: int) -> None:
        asked.append(value)
        if value < 10:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "getpriority", lambda *_: 10)
    monkeypatch.setattr(os, "setpriority", refuse)
    recorder = Recorder(tmp_path / "clip.mp4", (64, 48), 30)
    recorder.write(picture(0))
    done = recorder.close()
    assert (done.failure, done.frames) == ("", 1)
    assert set(asked) <= {10}


def test_offline_is_the_same_twice(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        record = Recorder(tmp_path / name, (64, 48), 30)
        for index in range(20):
            record.write(picture(index))
        record.close()
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_the_last_picture_is_kept_when_the_stop_comes_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Put and stopped in the moment after the encoder's thread found its queue empty."""
    record = Recorder(tmp_path / "a.mp4", (64, 48), 30)
    look, late = record._queue.get, threading.Event()

    def get(*args: object, **named: object) -> object:
        try:
            return look(*args, **named)
        except queue.Empty:
            if not late.is_set():
                late.set()
                record.write(picture(0))
                record.stop()
            raise

    monkeypatch.setattr(record._queue, "get", get)
    assert late.wait(30)
    assert record.close().frames == 1


def test_odd_sizes_get_a_line_more(tmp_path: Path) -> None:
    record = Recorder(tmp_path / "odd.mp4", (65, 47), 30)
    record.write(picture(0, (65, 47)))
    assert record.close().failure == ""
    assert played(tmp_path / "odd.mp4")[1][0].shape == (48, 66, 3)


def test_colours_come_back(tmp_path: Path) -> None:
    record = Recorder(tmp_path / "red.mp4", (64, 64), 30)
    record.write(np.full((64, 64, 3), (220, 30, 40), np.uint8))
    record.close()
    shown = played(tmp_path / "red.mp4")[1][0]
    assert np.abs(shown.astype(int) - (220, 30, 40)).max() <= 4


def test_live_is_stamped_with_real_time(tmp_path: Path) -> None:
    seen = [100.0, 100.02, 100.5, 101.0, 103.0]
    record = Recorder(tmp_path / "live.mp4", (64, 48), 60)
    assert all(record.offer(picture(index), time) for index, time in enumerate(seen))
    assert record.close().seconds == pytest.approx(3, abs=0.02)
    assert played(tmp_path / "live.mp4")[0] == pytest.approx([0, 0.02, 0.5, 1, 3], abs=1e-3)


def test_full_queue_drops_counts_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    go = threading.Event()
    really_add = Movie.add

    def slow(self: Movie, one: np.ndarray, time: float) -> None:
        go.wait(30)
        really_add(self, one, time)

    monkeypatch.setattr(Movie, "add", slow)
    record = Recorder(tmp_path / "slow.mp4", (64, 48), 60, waiting=3)
    with caplog.at_level(logging.INFO):
        taken = [record.offer(picture(index), index / 60) for index in range(250)]
        go.set()
        result = record.close()
    assert 3 <= taken.count(True) <= 4  # the queue, and perhaps one in the encoder's hand
    assert result.dropped == record.dropped == taken.count(False)
    assert result.frames == taken.count(True) == len(played(tmp_path / "slow.mp4")[0])
    assert caplog.text.count("too slow") == 2  # at the first and at the hundredth
    assert f"{result.dropped} frames left out" in caplog.text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_ends_the_recording_with_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "full.mp4"
    part_of(path).symlink_to("/dev/full")
    record = Recorder(path, (64, 48), 60, waiting=4, live=False)
    noise = np.random.default_rng(3)

    def write_until_refused() -> None:
        for _ in range(2000):
            record.write(noise.integers(0, 256, (48, 64, 3), dtype=np.uint8))

    with caplog.at_level(logging.WARNING), pytest.raises(RecorderError, match="No space left"):
        write_until_refused()
    assert not record.recording
    assert record.offer(picture(0), 0.0) is False
    failure = record.close().failure
    assert "No space left" in failure
    assert failure.endswith(f" written before, to {part_of(path)}")
    assert caplog.text == ""  # who waits for it is told by the error
    assert not path.exists()


def test_a_live_recording_that_fails_is_in_the_log_with_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    add = Movie.add

    def full(movie: Movie, picture: np.ndarray, time: float) -> None:
        if time > 0:
            raise OSError(28, "No space left on device")
        add(movie, picture, time)

    monkeypatch.setattr(Movie, "add", full)
    record = Recorder(tmp_path / "f.mp4", (64, 48), 60)
    for index in range(2):
        record.offer(picture(index), index / 60)
    result = record.close()
    assert result.failure == (
        f"recording to {tmp_path / 'f.mp4'} stopped: No space left on device; 1 frame was written "
        f"before, to {tmp_path / 'f.part.mp4'}"
    )
    assert caplog.text.count("No space left") == 1


def test_a_live_recording_that_nobody_ends_leaves_room_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    left = iter([5e9, 2e9])

    def usage(_: Path) -> SimpleNamespace:
        return SimpleNamespace(free=next(left, 0.9e9))

    monkeypatch.setattr(recorder.shutil, "disk_usage", usage)
    record = Recorder(tmp_path / "long.mp4", (64, 48), 30, waiting=100)
    for index in range(20):
        record.offer(picture(index), index / 30)
    until(lambda: not record.recording)
    result = record.close()
    assert result.failure == ""
    assert len(played(result.path)[0]) == result.frames >= 3  # and what had been offered
    assert "less than 1 GB is left on its disk" in caplog.text


def test_encoder_failure_at_the_start_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Movie:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(recorder, "Movie", refuse)
    result = Recorder(tmp_path / "no.mp4", (64, 48), 60).close()
    assert result.failure == f"recording to {tmp_path / 'no.mp4'} stopped: Input/output error"


def test_a_recording_that_no_picture_came_to_says_so(tmp_path: Path) -> None:
    """R twice at once, or while the house is closed."""
    result = Recorder(tmp_path / "clip.mp4", (64, 48), 30).close()
    says = f"no recording: no picture came to {result.path} before it ended"
    assert str(result) == says
    assert list(tmp_path.iterdir()) == []


def test_interrupted_recording_can_be_played(tmp_path: Path) -> None:
    movie = Movie(tmp_path / "cut.mp4", (64, 48), 30)
    for index in range(200):
        movie.add(picture(index), index / 30)
    rescued = tmp_path / "rescued.mp4"
    rescued.write_bytes(movie.part.read_bytes())  # what is on disk when the power goes
    movie.close()
    assert len(played(rescued)[0]) >= 60
    assert len(played(movie.path)[0]) == 200


def test_what_is_left_of_a_recording_is_not_written_over(tmp_path: Path) -> None:
    left = part_of(tmp_path / "cut.mp4")
    left.write_bytes(b"until the power went")
    with pytest.raises(RecorderError, match=r"cut\.part\.mp4 is there already"):
        Recorder(tmp_path / "cut.mp4", (64, 48), 30)
    assert left.read_bytes() == b"until the power went"


def test_folder_of_png_is_lossless_and_never_mixed(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    record = Recorder(folder, (64, 48), 60)
    for index in range(3):
        record.write(picture(index)[:, :, ::-1])  # any strides
    assert record.close().frames == 3
    names = sorted(file.name for file in folder.iterdir())
    assert names == ["frame_00000.png", "frame_00001.png", "frame_00002.png"]
    assert (np.asarray(Image.open(folder / names[2])) == picture(2)[:, :, ::-1]).all()
    with pytest.raises(RecorderError, match="has frames in it already"):
        Recorder(folder, (64, 48), 60)


def test_unusable_places_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "old.mp4").write_text("a film of last year")
    for path, complaint in (
        (tmp_path / "clip.avi", "an .mp4 file or a folder"),
        (tmp_path / "file" / "clip.mp4", "cannot write to"),
        (tmp_path / "file", "cannot write to"),
        (tmp_path / "old.mp4", "is there already; choose another name"),
    ):
        with pytest.raises(RecorderError, match=complaint):
            Recorder(path, (64, 48), 60)


def test_wrong_size_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    record = Recorder(tmp_path / "clip.mp4", (64, 48), 60)
    with pytest.raises(ValueError, match="records 64×48"):
        record.offer(picture(0, (32, 32)), 0.0)
    record.close()
