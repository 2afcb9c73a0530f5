"""A song from a file: what is heard in each frame of a movie, and where its beats lie."""

from __future__ import annotations

import os
from pathlib import Path

import av
import numpy as np
import pytest

from installation.clock import Hearing, Tempo
from installation.control.beat_tracker import beats
from installation.control.ear import Ear
from installation.control.song import Song
from installation.parameters import Bus
from installation.soundtrack import SoundtrackError, blocks
from tests import music

LOOK = 512
NOISE = np.random.default_rng(1)


def found(sound: np.ndarray) -> np.ndarray:
    ear, attacks = Ear(music.RATE), []
    for at in range(0, len(sound) - LOOK + 1, LOOK):
        ear.hear(sound[at : at + LOOK].astype(np.float32))
        attacks.append(ear.attack)
    return beats(np.array(attacks), music.RATE / LOOK)


@pytest.mark.parametrize(("bpm", "hats"), [(60, 1), (90, 2), (120, 2), (128, 4)])
def test_beats_are_the_drums_and_not_what_hisses_between(bpm: float, hats: int) -> None:
    heard = found(music.drums(bpm, 20, hats=hats))
    played = np.arange(0.4, 19.5, 60 / bpm)
    assert len(heard) == pytest.approx(len(played), abs=1)
    np.testing.assert_allclose([np.abs(heard - beat).min() for beat in played[1:-1]], 0, atol=0.025)


def test_a_tempo_that_creeps_is_followed() -> None:
    first = music.drums(110, 12, hats=1)
    second = music.drums(118, 12, first=0.4 + 22 * 60 / 110 - 12 + 60 / 118, hats=1)
    gaps = 60 / np.diff(found(np.concatenate([first, second])))
    assert np.median(gaps[3:15]) == pytest.approx(110, abs=2)
    assert np.median(gaps[-12:-3]) == pytest.approx(118, abs=2)


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(10 * music.RATE),
        0.3 * NOISE.normal(size=10 * music.RATE).clip(-1, 1),
        0.3 * np.sin(np.arange(10 * music.RATE) / 70),
        NOISE.normal(size=10 * music.RATE).clip(-1, 1)
        * np.interp(np.arange(10 * music.RATE), np.arange(10) * music.RATE, NOISE.random(10)),
        music.drums(120, 0.3),
        np.zeros(100),
    ],
    ids=["silence", "noise", "a tone", "noise that swells", "short", "nothing"],
)
def test_what_has_no_beat_gets_none(sound: np.ndarray) -> None:
    assert len(found(sound)) == 0


def test_each_frame_hears_what_lies_within_it(tmp_path: Path) -> None:
    quiet, loud = np.zeros(music.RATE), 0.5 * np.sin(np.arange(music.RATE) / 70)
    song = Song.read(music.write(tmp_path / "a.wav", np.concatenate([quiet, loud])), 25)
    assert song.frames == 50
    assert {one.level for one in song.heard[:25]} == {0}
    assert min(one.level for one in song.heard[26:]) > 0.9
    assert [i for i, one in enumerate(song.heard) if one.onset] == [25]


def test_more_frames_than_looks_hear_the_last_one_again(tmp_path: Path) -> None:
    path = music.write(tmp_path / "a.wav", music.drums(120, 2))
    few, many = Song.read(path, 30), Song.read(path, 240)
    assert many.frames == 480
    assert sum(one.onset for one in many.heard) == sum(one.onset for one in few.heard) > 3
    assert many.heard[-1].level == few.heard[-1].level


def test_a_song_moves_tempo_and_beat_and_what_is_heard(tmp_path: Path) -> None:
    bus, tempo, hearing = Bus(), Tempo(), Hearing()
    tempo.bind(bus, "clock")
    hearing.bind(bus, "sound")
    song = Song.read(music.write(tmp_path / "a.wav", music.drums(100, 12)), 30)
    phases, struck = [], 0
    for number in range(song.frames):
        song.play(bus, number)
        bus.tick(1 / 30)
        frame = hearing.heard(tempo.frame(1 / 30))
        struck += frame.onset
        if number in song.beats:
            phases.append(abs(frame.beat - round(frame.beat)))
    assert bus.value("/clock/bpm") == pytest.approx(100, abs=2)
    assert max(phases[3:]) < 0.12  # of a beat, once it has been drawn there: two frames
    assert struck >= 19
    song.play(bus, song.frames + 5)
    bus.tick(1 / 30)
    assert hearing.level == 0


def test_a_song_without_a_beat_leaves_the_tempo_alone_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bus, tempo = Bus(), Tempo()
    tempo.bind(bus, "clock")
    song = Song.read(music.write(tmp_path / "a.wav", np.zeros(music.RATE)), 30)
    song.play(bus, 0)
    bus.tick(0.1)
    assert bus.value("/clock/bpm") == Tempo.bpm.default
    assert "no beat" in caplog.text


def test_other_rates_and_channels_are_mixed(tmp_path: Path) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 441 * np.arange(44100) / 44100)
    path = music.write(tmp_path / "a.wav", tone, np.zeros(44100), rate=44100)
    mono = np.concatenate(list(blocks(path, 1, 512)), 1)
    stereo = np.concatenate(list(blocks(path, 2, 512)), 1)
    assert mono.shape == (1, 48000)
    assert stereo.shape == (2, 48000)
    assert np.abs(stereo[1]).max() < 1e-3 < 0.45 < np.abs(stereo[0]).max()
    both = np.concatenate(list(blocks(music.write(tmp_path / "b.wav", tone), 2, 512)), 1)
    assert np.abs(both).max(axis=1) == pytest.approx([0.5, 0.5], abs=0.01)


def test_what_is_damaged_in_a_file_is_left_out_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.mp3"
    with av.open(str(path), "w") as movie:
        stream = movie.add_stream("libmp3lame", rate=music.RATE, layout="mono")
        tone = np.sin(np.arange(4 * music.RATE) / 70).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(tone[None], "fltp", "mono")
        frame.sample_rate = music.RATE
        movie.mux(stream.encode(frame))
        movie.mux(stream.encode(None))
    whole = path.read_bytes()
    rubbish = NOISE.bytes(3000)
    path.write_bytes(whole[: len(whole) // 2] + rubbish + whole[len(whole) // 2 :] + rubbish)
    for channels in (1, 2):
        heard = sum(block.shape[1] for block in blocks(path, channels, LOOK))
        assert heard / music.RATE == pytest.approx(4, abs=0.2)
    assert caplog.text.count("a.mp3 is damaged") == 1


def test_what_is_no_loudness_is_silence_and_nothing_is_louder_than_all(tmp_path: Path) -> None:
    """A file of floats may hold anything; an encoder takes no NaN, and a movie would end there."""
    path = tmp_path / "a.wav"
    tone = np.full((2, music.RATE), 0.5, np.float32)
    tone[0, 1000:1003] = np.nan, np.inf, -np.inf
    tone[1, 2000:2002] = 50, -50
    with av.open(str(path), "w") as file:
        stream = file.add_stream("pcm_f32le", rate=music.RATE, layout="stereo")
        frame = av.AudioFrame.from_ndarray(tone.T.reshape(1, -1).copy(), "flt", "stereo")
        frame.sample_rate = music.RATE
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    heard = np.concatenate(list(blocks(path, 2, LOOK)), 1)
    assert heard[0, 1000:1003].tolist() == [0, 0, 0]
    assert heard[1, 2000:2002].tolist() == [1, -1]


@pytest.mark.parametrize("samples", [0, 1])
def test_a_file_without_a_sample_is_no_sound(tmp_path: Path, samples: int) -> None:
    path = music.write(tmp_path / "a.wav", np.zeros(samples))
    if samples:
        assert Song.read(path, 30).frames == 1
        return
    with pytest.raises(SoundtrackError, match=r"a\.wav has no sound in it"):
        Song.read(path, 30)


@pytest.mark.skipif(os.name == "nt", reason="there no name has a colon")
def test_a_name_with_a_colon_is_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    music.write(Path("12-30.wav"), np.zeros(1000)).rename("12:30.wav")
    assert sum(block.shape[1] for block in blocks(Path("12:30.wav"), 1, LOOK)) == 1000


def test_what_is_no_sound_is_said(tmp_path: Path) -> None:
    with pytest.raises(SoundtrackError, match=r"there is no sound file .*none\.wav"):
        list(blocks(tmp_path / "none.wav", 1, 512))
    text = tmp_path / "a.wav"
    text.write_text("la la la")
    with pytest.raises(SoundtrackError, match="no sound that can be read"):
        list(blocks(text, 1, 512))


def test_a_list_of_other_files_is_not_followed(tmp_path: Path) -> None:
    music.write(tmp_path / "a.wav", np.zeros(1000))
    playlist = tmp_path / "list.m3u8"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.wav\n#EXT-X-ENDLIST\n")
    with pytest.raises(SoundtrackError, match="no sound that can be read"):
        list(blocks(playlist, 1, 512))
