"""The tables of a venue file: every key, what it may be, and what it is when it is left out."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import time
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    SecretStr,
    model_validator,
)

from installation.control.hosts import host_and_port
from installation.watch.schedule import Hours, time_of_day

PASSWORD = (8, 128)  # characters, at least and at most


def _if(check: Callable[[Any], object]) -> AfterValidator:
    """What the check takes, without a ValueError, stays as it was written."""

    def checked(value: Any) -> Any:
        check(value)
        return value

    return AfterValidator(checked)


def _address(text: str) -> None:
    if not text.startswith("/") or len(text) < 2 or re.search(r"\s", text):
        raise ValueError('an address begins with /, and stands in quotes: "/light/brightness"')


def _visible(text: str) -> None:
    if not text.strip() or not text.isprintable():
        raise ValueError("a name has letters, and none that are not seen")


def _inside(box: tuple[float, float, float, float]) -> None:
    left, top, width, height = box
    if left + width > 1 + 1e-6 or top + height > 1 + 1e-6:
        raise ValueError("left, top, width and height of what lies within the whole, as 0 to 1")


# Whether it is there Programme asks.
Address = Annotated[str, Field(max_length=128), _if(_address)]
Side = Annotated[int, Field(ge=64, le=16384)]
_Part = Annotated[FiniteFloat, Field(ge=0, le=1)]
_Extent = Annotated[FiniteFloat, Field(ge=0.01, le=1)]
# left, top, width and height, in parts of the whole
Box = Annotated[tuple[_Part, _Part, _Extent, _Extent], _if(_inside)]


class Table(BaseModel):
    # what stands in a file is not repeated by errors: it may be a password
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Window(Table):
    """The wall."""

    fullscreen: bool = False
    display: int = Field(0, ge=0, le=15, description="Which screen; 0 is the first.")
    size: tuple[Side, Side] = (960, 960)
    vsync: bool = True
    fps: float = Field(60, ge=1, le=240, description="Frames a second when there is no vsync.")
    picture: Side = Field(768, description="Longest side of the picture that is rendered.")
    least_fps: float = Field(
        30, ge=1, le=240, description="Below this the picture is drawn smaller and enlarged."
    )
    overlay: bool = Field(False, description="Show the parameters at the start (Tab).")


class Screen(Table):
    """One of several projectors or displays that share the window, or one that hangs askew."""

    display: int | None = Field(None, ge=0, le=15, description="Which it is; 0 is the first.")
    area: Box = Field((0, 0, 1, 1), description="What of the window it fills, without a display.")
    part: Box = Field((0, 0, 1, 1), description="What of the picture it shows.")
    turn: Literal[0, 90, 180, 270] = Field(0, description="How far it hangs turned clockwise.")
    mirror: bool = Field(False, description="It is projected on from behind.")
    blend: bool = Field(True, description="It fades where another shows the same.")
    mask: str = Field("", description="A picture laid over it: what is black there stays dark.")


class Play(Table):
    """What is put on when the doors open."""

    piece: str = Field("", description="A piece's name or folder; empty plays one that ships.")
    scene: str = Field("", description="The first scene; empty plays the setlist.")
    setlist: str = Field("", description="A setlist file; empty plays the one that ships.")
    advance: bool = Field(True, description="Go through the setlist by itself.")
    seed: int = Field(0, ge=0, le=2**31 - 1)
    toward: str = Field("", description="A piece that others can go to, by /piece/toward.")
    chosen: str = Field("", description="A folder of stills that seeds are; empty: random ones.")
    presets: str = Field("presets.toml", description="Keeps presets; empty: for this evening.")


class Osc(Table):
    """Open Sound Control over UDP."""

    enabled: bool = True
    host: str = Field("127.0.0.1", description="Loopback; 0.0.0.0 listens to the whole network.")
    port: int = Field(9000, ge=1, le=65535)
    feedback: list[Annotated[str, _if(host_and_port)]] = Field(
        [], description="HOST:PORT of controllers that show where all is."
    )


class Web(Table):
    """A remote for the browser, and OSCQuery."""

    enabled: bool = False
    host: str = Field("127.0.0.1", description="Loopback; 0.0.0.0 serves the whole network.")
    port: int = Field(8080, ge=1, le=65535)
    password: SecretStr | None = Field(
        None, min_length=PASSWORD[0], max_length=PASSWORD[1],
        description="Asked for, under any user name; left out: nobody is asked.",
    )  # fmt: skip


class Link(Table):
    """Ableton Link: one beat with other programs."""

    enabled: bool = False


class MidiBinding(Table):
    """One control of a MIDI controller and the parameter it moves."""

    address: Address
    channel: int | None = Field(None, ge=1, le=16, description="Any channel when left out.")
    cc: int | None = Field(None, ge=0, le=127)
    note: int | None = Field(None, ge=0, le=127)
    nrpn: int | None = Field(None, ge=0, le=16383)
    program: int | None = Field(None, ge=0, le=127, description="From 0; many devices show 1.")
    pitchwheel: bool = False
    aftertouch: bool = False
    port: str = Field("", description="Part of the controller's name; empty: any.")
    bits: Literal[7, 14] = 7
    relative: bool | Literal["offset", "sign"] = Field(
        False, description="An endless knob: one step down is 127 (true), 63 (offset), 65 (sign)."
    )
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None

    @model_validator(mode="after")
    def _one_control(self) -> MidiBinding:
        numbered = [self.cc, self.note, self.nrpn, self.program]
        named = [one is not None for one in numbered] + [self.pitchwheel, self.aftertouch]
        if sum(named) != 1:
            raise ValueError("needs one of cc, note, nrpn, program, pitchwheel and aftertouch")
        if self.cc is not None and 98 <= self.cc <= 101:
            raise ValueError("cc 98 to 101 choose NRPNs, and move nothing")
        if self.bits == 14 and (self.cc is None or self.cc > 31):
            raise ValueError("bits = 14 needs a cc from 0 to 31")
        if self.relative and (self.cc is None or self.bits == 14):
            raise ValueError("relative needs a cc of 7 bits")
        return self


class Midi(Table):
    """MIDI controllers."""

    enabled: bool = True
    ports: list[str] = Field([], description="Parts of port names to open; empty opens all.")
    automatic: bool = Field(True, description="Bind every parameter (see `installation scenes`).")
    takeover: Literal["jump", "pickup", "scale"] = Field(
        "jump", description="What a knob does that stands elsewhere than its parameter."
    )
    feedback: bool = Field(False, description="Show values on controllers that can.")
    learned: str = Field("midi-learned.toml", description="Keeps what was learned; empty: nothing.")
    map: list[MidiBinding] = []


class Sound(Table):
    """Listening to the room, or to the mixer."""

    enabled: bool = False
    device: str = Field("", description="Part of the input's name; empty: the system's own.")
    beat: bool = Field(False, description="Find the beat in it, too, where nobody else sets one.")


class Sight(Table):
    """Looking at those before the wall."""

    enabled: bool = False
    device: str = Field("", description="Part of a camera's name, its address, or a film.")
    mirror: bool = Field(True, description="It hangs at the wall, and looks at those before it.")


class Ndi(Table):
    """The picture for other programs, of this machine and its network."""

    enabled: bool = False
    # with a machine's name, of 63 at most, NDI takes no more than 250 bytes
    name: Annotated[str, _if(_visible)] = Field("installation", max_length=45)
    fps: float = Field(60, ge=1, le=240, description="Frames a second, where so many are drawn.")


class Rehearsal(Table):
    """For working on the piece, not for opening hours."""

    reload: bool = Field(False, description="Saving a scene or shader shows it at once.")


class Record(Table):
    folder: str = "clips"
    fps: float = Field(30, ge=1, le=120)


class Watch(Table):
    """For `installation open`, when nobody is there."""

    restart: Annotated[str, _if(time_of_day)] = Field(
        "04:00", description="When the show begins anew every day, by local time; or never."
    )
    hang: float = Field(30, ge=5, le=600, description="Seconds without a frame, then it is ended.")
    log: str = Field("installation.log", description="A file for what happens; empty: none.")

    @property
    def begins_anew(self) -> time | None:
        return time_of_day(self.restart)


class Venue(Table):
    """A whole venue file."""

    window: Window = Window()
    screen: list[Screen] = Field([], max_length=16, description="Empty: one, the whole window.")
    play: Play = Play()
    osc: Osc = Osc()
    midi: Midi = Midi()
    sound: Sound = Sound()
    sight: Sight = Sight()
    web: Web = Web()
    link: Link = Link()
    ndi: Ndi = Ndi()
    rehearsal: Rehearsal = Rehearsal()
    record: Record = Record()
    watch: Watch = Watch()
    hours: Annotated[dict[str, str], _if(Hours.parse)] = Field(
        {}, description="When the house is open, for `installation open`; empty: always."
    )
    parameters: dict[Address, FiniteFloat] = Field({}, description="Values to start with.")

    @model_validator(mode="after")
    def _screens_agree(self) -> Venue:
        named = [one.display for one in self.screen if one.display is not None]
        if named and (len(named) < len(self.screen) or len(set(named)) < len(named)):
            raise ValueError("every [[screen]] names a display of its own, or none does")
        return self

    @property
    def displays(self) -> list[int]:
        """Those that the window is to fill, all together."""
        named = [one.display for one in self.screen if one.display is not None]
        return named or [self.window.display]


class Controller(Table):
    """A controller as it comes from the shop. port: part of its name."""

    port: str = Field(min_length=3)
    map: list[MidiBinding]


class Learned(Table):
    """What was learned at the controllers."""

    map: list[MidiBinding] = []
