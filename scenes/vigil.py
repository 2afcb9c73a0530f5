import math

from installation.scene import Frame, Param, Pass, Point, Scene, Space, Trigger


class Vigil(Scene):
    """Alone it dozes in the dark; whoever comes near wakes it, and it leans to where they stand.

    For a wall with a camera: each one who comes meets another face, and who moves stirs it. A loud
    sound wakes it too. Where nobody comes it dreams of visitors.
    """

    dream = Param(16, 0, 64, unit="beats", doc="Beats alone until it dreams; 0 sleeps sound.")
    wakes = Param(1.2, 0.1, 10, unit="s", doc="How long waking takes; it dozes off in three times.")
    doze = Param(0.4, 0.3, 1.2, glide=1.0, doc="Truncation asleep: low is average.")
    calm = Param(0.9, 0.3, 1.2, glide=1.0, doc="Truncation awake: high is strange.")
    dark = Param(2.2, 0, 5, unit="stops", glide=1.0, doc="How dark it is while it dozes.")
    lean = Param(0.5, 0, 1, glide=0.5, doc="How far it leans to who is there.")
    speed = Param(0.02, 0, 0.2, unit="loops/s", glide=1.0, doc="How fast it breathes.")
    stir = Param(4, 0, 20, glide=1.0, doc="How much faster it goes for one who moves.")
    heed = Param(0.7, 0, 1, doc="How much a loud sound wakes it.")
    greet = Trigger(doc="Wake, as if somebody came.")
    passes = (
        Pass("post/grade", exposure="light", saturation="colour"),
        Pass(
            "post/trails",
            seconds=Param(0.15, 0, 5, unit="s", glide=0.5, doc="Until half of a trail is gone."),
        ),
        Pass("post/bloom", amount=Param(0.15, 0, 1, glide=0.3, doc="Light spilling over.")),
        Pass("post/grain", amount=Param(0.05, 0, 0.5, glide=0.3, doc="Film grain.")),
    )

    def start(self, space: Space) -> None:
        self.space, self.breath = space, space.loop(seed=700, radius=0.5)
        self.met, self.face, self.next, self.turned = 0, space.seed(701), space.seed(701), 1.0
        self.awake = self.leaning = self.greeted = 0.0
        self.since, self.last_beat = self.dream / 2, 0.0

    def step(self, frame: Frame) -> Point:
        self.since += min(1.0, frame.beat - self.last_beat)  # at first all before it came on
        self.last_beat = frame.beat
        there = max(frame.presence, self.heed * frame.level)
        if there > 0.1:
            self.since = 0.0
        if frame.arrives or self.greet or 0 < self.dream <= self.since:
            self.meet()
        self.greeted = max(0.0, self.greeted - frame.dt)
        near = max(there, min(1.0, self.greeted))
        slow = self.wakes * (1 if near > self.awake else 3)
        self.awake += (near - self.awake) * (1 - math.exp(-frame.dt / slow))
        self.turned = min(1.0, self.turned + frame.dt / self.wakes)
        self.leaning += (frame.across - self.leaning) * (1 - math.exp(-frame.dt / 0.3))
        self.breath.advance(frame.dt * self.speed * (1 + self.stir * frame.motion))
        calm = self.doze + (self.calm - self.doze) * self.awake
        asleep, face = self.breath.point(), self.shown()
        dressed = self.space.blend(asleep, face, self.awake)
        mind = self.space.blend(asleep, face, 0.25 + 0.6 * self.awake, calm)  # it goes on breathing
        point = self.space.wear(mind, dressed)
        return self.space.bend(point, 0.35, across=0.3 * self.lean * self.leaning)

    @property
    def light(self) -> float:
        """In stops."""
        return -self.dark * (1 - self.awake)

    @property
    def colour(self) -> float:
        return 0.45 + 0.55 * self.awake

    def shown(self) -> Point:
        """Whom it wakes as: on the way from the one before."""
        return self.space.blend(self.face, self.next, self.turned**2 * (3 - 2 * self.turned))

    def meet(self) -> None:
        """Somebody else, and a while awake."""
        self.face, self.turned = self.shown(), 0.0
        self.met += 1
        self.next = self.space.seed(701 + self.met)
        self.since, self.greeted = 0.0, 5.0
