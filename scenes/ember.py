from installation.scene import Frame, Param, Pass, Point, Scene, Space, Trigger


class Ember(Scene):
    """Struck like a bell: a blow throws the picture elsewhere, and its lines glow on in the dark.

    For percussion: every onset strikes while somebody listens, and so does a pad bound to `strike`.
    """

    beats = Param(2, 0, 16, unit="beats", doc="Beats between strikes; 0 waits for your hand.")
    decay = Param(0.9, 0.05, 6, unit="s", doc="Until half of a blow is spent.")
    reach = Param(0.55, 0, 1, glide=1.0, doc="How far a blow throws, of the way to another seed.")
    calm = Param(0.9, 0.3, 1.2, glide=1.0, doc="Truncation: low is average, high is strange.")
    heed = Param(1, 0, 1, doc="Whether sounds strike: from the middle of the fader on.")
    strike = Trigger(doc="A blow.")
    passes = (
        Pass(
            "post/outline",
            amount=Param(1.0, 0, 1, glide=0.5, doc="0 the picture, 1 its glowing lines."),
            heat=Param(0.75, 0, 1, glide=0.5, doc="0 its own colours, 1 those of embers."),
        ),
        Pass(
            "post/trails",
            seconds=Param(0.5, 0, 5, unit="s", glide=0.5, doc="Until half of a trail is gone."),
            light=Param(1.0, 0, 1, glide=0.5, doc="0 all things leave a trail, 1 bright ones."),
            zoom=Param(0.15, -0.5, 1, glide=0.5, doc="How far trails move outward in a second."),
        ),
        Pass("post/bloom", amount=Param(0.6, 0, 1, glide=0.3, doc="Light spilling over.")),
        Pass("post/grain", amount=Param(0.05, 0, 0.5, glide=0.3, doc="Film grain.")),
    )

    def start(self, space: Space) -> None:
        self.space = space
        self.home, self.target, self.force = space.seed(200), space.seed(201), 0.0
        self.blows, self.since, self.last_beat = 0, 0.0, 0.0

    def step(self, frame: Frame) -> Point:
        self.since += frame.beat - self.last_beat
        self.last_beat = frame.beat
        due = self.beats > 0 and self.since >= self.beats
        if due:
            self.since %= self.beats
        if self.strike or due or (frame.onset and self.heed >= 0.5):
            self.hit()
        self.force *= 0.5 ** (frame.dt / self.decay)
        return self.space.blend(self.home, self.target, self.thrown(), self.calm)

    def thrown(self) -> float:
        """How far of the way: fast at first, at rest in the end."""
        return self.reach * (1 - self.force)

    def hit(self) -> None:
        """Rest becomes the new home, wherever the last blow had come to."""
        self.home = self.space.blend(self.home, self.target, self.thrown())
        self.blows += 1
        self.target, self.force = self.space.seed(201 + self.blows), 1.0
