from installation.scene import Frame, Param, Pass, Point, Scene, Space


class Drift(Scene):
    """A closed loop of smooth noise: the piece wanders by itself and comes home.

    For anything with a low end: the bass carries it along.
    """

    speed = Param(0.012, 0, 0.2, unit="loops/s", glide=1.0, doc="How fast we travel.")
    calm = Param(0.75, 0.3, 1.2, glide=1.0, doc="Truncation: low is average, high is strange.")
    heed = Param(3, 0, 10, glide=1.0, doc="How much faster the bass carries it.")
    passes = (
        Pass(
            "post/grade",
            exposure=Param(0.0, -2, 2, unit="stops", glide=0.5, doc="Lighter or darker."),
            contrast=Param(1.05, 0.5, 2, glide=0.5, doc="Contrast around middle grey."),
        ),
        Pass("post/bloom", amount=Param(0.15, 0, 1, glide=0.3, doc="Light spilling over.")),
        Pass("post/grain", amount=Param(0.05, 0, 0.5, glide=0.3, doc="Film grain.")),
    )

    def start(self, space: Space) -> None:
        self.walk = space.loop(seed=11)

    def step(self, frame: Frame) -> Point:
        self.walk.advance(frame.dt * self.speed * (1 + self.heed * frame.bass))
        return self.walk.point(truncation=self.calm)
