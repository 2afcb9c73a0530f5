from installation.scene import Frame, Param, Pass, Point, Scene, Space


class Masquerade(Scene):
    """On the beat of the clock the label or code changes: the same dancer, another mask.

    For dance music, its clock by MIDI or tapped: voices and melody make the dancer sway.
    """

    beats = Param(4, 1, 16, unit="beats", doc="Beats from one mask to the next.")
    fade = Param(0.45, 0.05, 1, doc="Part of that time which the change takes.")
    sway = Param(0.15, 0, 1, glide=1.0, doc="How far z wanders between the beats.")
    calm = Param(0.85, 0.3, 1.2, glide=1.0, doc="Truncation: low is average, high is strange.")
    heed = Param(4, 0, 10, glide=1.0, doc="How much more the dancer sways by the melody.")
    passes = (
        Pass(
            "post/kaleidoscope",
            amount=Param(0, 0, 1, glide=0.5, doc="Folds the picture."),
            segments=Param(6, 2, 16, doc="How many mirrors."),
        ),
        Pass("post/bloom", amount=Param(0.2, 0, 1, glide=0.3, doc="Light spilling over.")),
        Pass("post/grade", contrast=Param(1.1, 0.5, 2, glide=0.5, doc="Contrast.")),
    )

    def start(self, space: Space) -> None:
        self.space = space
        self.drift = space.loop(seed=7, radius=0.6)
        self.turn, self.progress, self.part, self.last_beat = 0, 0.0, 1.0, 0.0

    def step(self, frame: Frame) -> Point:
        self.drift.advance(frame.dt * 0.05 * self.sway * (1 + self.heed * frame.middle))
        if not self.changed:  # once a change has begun, the fader is heeded by the next one
            self.part = min(self.fade, 1 - self.progress)
        # beats are counted on, not computed from the time: moving the fader never jumps
        self.progress += (frame.beat - self.last_beat) / self.beats
        self.last_beat = frame.beat
        whole = int(self.progress)  # many at once when it comes on late in the evening
        self.progress, self.turn = self.progress - whole, self.turn + whole
        point = self.drift.point(truncation=self.calm)
        return self.dress(point, self.turn, self.changed)

    @property
    def changed(self) -> float:
        """How far the change has come, 0 to 1: it begins and ends softly."""
        x = min(1.0, max(0.0, (self.progress - (1 - self.part)) / self.part))
        return x * x * (3 - 2 * x)

    def dress(self, point: Point, turn: int, x: float) -> Point:
        """Every label and code goes from this turn's value to the next one's."""
        a, b = self.space.seed(1000 + turn), self.space.seed(1001 + turn)
        worn = self.space.blend(a, b, x)
        if not self.space.labels and not self.space.codes:
            return self.space.blend(point, worn, 0.5)  # a piece without either: z itself changes
        return self.space.wear(point, worn)
