import math

from installation.scene import Frame, Param, Pass, Point, Scene, Space, Trigger


class Kin(Scene):
    """The same one, again: z is held and one label changes at a time, then a stranger comes.

    For a slow, sparse sound: one note for each change, a low one for each stranger.
    """

    beats = Param(6, 1, 32, unit="beats", doc="Beats from one change to the next.")
    changes = Param(5, 1, 12, doc="Changes until somebody else comes.")
    fade = Param(0.35, 0.05, 1, doc="Part of the time between changes which a change takes.")
    breath = Param(0.12, 0, 0.5, glide=1.0, doc="How far the one who is there moves.")
    heed = Param(2, 0, 5, glide=1.0, doc="How much more the one who is there moves by the sound.")
    calm = Param(0.8, 0.3, 1.2, glide=1.0, doc="Truncation: low is average, high is strange.")
    stranger = Trigger(doc="Somebody else, now.")
    passes = (
        Pass("post/grade", contrast=Param(1.08, 0.5, 2, glide=0.5, doc="Contrast.")),
        Pass("post/bloom", amount=Param(0.12, 0, 1, glide=0.3, doc="Light spilling over.")),
        Pass("post/vignette", amount=Param(0.45, 0, 1, glide=0.5, doc="How dark the corners get.")),
    )

    def start(self, space: Space) -> None:
        self.space = space
        self.loud = 0.0  # smoothed, as it moves where the face is and not how fast
        self.who, self.turn, self.last_beat, self.phase = 0, 0, 0.0, 0.0
        self.progress, self.part = 0.0, 1.0  # of the time between changes; what a change takes
        self.count, self.values = 0, dict.fromkeys(space.labels, 0)  # of label changes; worn
        self.next = space.seed(500)
        for name in self.values:
            self.next = self.labelled(self.next, name)
        self.worn = self.next
        self.near = self.nearer = space.seed(900)  # whom the one who is there breathes towards
        self.choose()

    def step(self, frame: Frame) -> Point:
        self.phase += frame.dt * 0.07  # breaths a second
        self.loud += (frame.level - self.loud) * (1 - math.exp(-frame.dt / 0.5))
        if not self.changed:  # once a change has begun, the fader is heeded by the next one
            self.part = min(self.fade, 1 - self.progress)
        self.progress += (frame.beat - self.last_beat) / self.beats
        self.last_beat = frame.beat
        if self.stranger:  # from wherever the change has come to
            self.settle()
            self.turn, self.part = math.ceil(self.changes), self.fade
            self.progress = 1 - self.part
            self.choose()
        elif self.progress >= 1:
            self.settle()
            self.turn, self.progress = self.turn + 1, self.progress % 1.0
            self.choose()
        point = self.space.blend(self.worn, self.next, self.changed, self.calm)
        breath = min(0.8, self.breath * (1 + self.heed * self.loud)) * (
            0.5 - 0.5 * math.cos(self.phase * math.tau)
        )
        near = self.space.blend(self.near, self.nearer, self.changed)
        return self.space.wear(self.space.blend(point, near, breath), point)

    @property
    def changed(self) -> float:
        """How far the change has come, 0 to 1: it begins and ends softly."""
        x = min(1.0, max(0.0, (self.progress - (1 - self.part)) / self.part))
        return x * x * (3 - 2 * x)

    def settle(self) -> None:
        """What has come of the change is where the next one begins."""
        self.worn = self.space.blend(self.worn, self.next, self.changed)
        self.near = self.space.blend(self.near, self.nearer, self.changed)

    def choose(self) -> None:
        """What comes next: another value of one label, or another z with all else kept."""
        names = [name for name, size in self.space.labels.items() if size > 1]
        if self.turn >= self.changes or not names:
            self.who, self.turn = self.who + 1, 0
            self.next = self.space.wear(self.space.seed(500 + self.who), self.next)
            self.nearer = self.space.seed(900 + self.who)
            return
        name, lap = names[self.count % len(names)], self.count // len(names)
        size = self.space.labels[name]
        stride = 1 + lap // size % (size - 1)  # once through all values, then by larger strides
        self.values[name] = (self.values[name] + stride) % size
        self.count += 1
        self.next = self.labelled(self.worn, name)

    def labelled(self, point: Point, name: str) -> Point:
        weights = [float(k == self.values[name]) for k in range(self.space.labels[name])]
        return self.space.label(point, name, weights)
