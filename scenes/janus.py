import math

from installation.scene import Frame, Param, Pass, Point, Scene, Space


class Janus(Scene):
    """Two faces of one head: a mirror breathes open and shut over a turn between four seeds.

    For a drone: nothing happens suddenly, everything returns.
    """

    speed = Param(0.02, 0, 0.3, unit="turns/s", glide=1.0, doc="How fast z goes round.")
    breath = Param(0.05, 0, 0.5, unit="breaths/s", glide=1.0, doc="How fast the mirror opens.")
    width = Param(0.7, 0.1, 1, glide=1.0, doc="How far round it goes; 1 is all the way.")
    heed = Param(3, 0, 10, glide=1.0, doc="How much faster the bass opens the mirror.")
    calm = Param(0.8, 0.3, 1.2, glide=1.0, doc="Truncation: low is average, high is strange.")
    passes = (
        Pass(
            "post/mirror",
            amount=Param(1.0, 0, 1, glide=0.5, doc="0 no mirror."),
            shift=Param(0.0, -0.5, 0.5, glide=1.0, doc="Where the mirror stands."),
        ),
        Pass(
            "post/grade",
            saturation=Param(0.35, 0, 2, glide=0.5, doc="Colour; 0 is grey."),
            contrast=Param(1.25, 0.5, 2, glide=0.5, doc="Contrast."),
            temperature=Param(-0.2, -1, 1, glide=0.5, doc="Cold to warm."),
        ),
        Pass("post/trails", seconds=Param(0.6, 0, 5, unit="s", glide=0.5, doc="Half of a trail.")),
        Pass("post/grain", amount=Param(0.08, 0, 0.5, glide=0.3, doc="Film grain.")),
    )

    def start(self, space: Space) -> None:
        self.space = space
        self.a, self.b = space.seed(300), space.seed(301)
        self.turn, self.open = 0.0, 0.0

    def step(self, frame: Frame) -> Point:
        self.turn += frame.dt * self.speed
        self.open += frame.dt * self.breath * (1 + self.heed * frame.bass)
        way = 0.5 - 0.5 * math.cos(self.turn * math.tau)
        side = 0.5 - 0.5 * math.cos(self.open * math.tau)
        ahead = self.space.blend(self.a, self.b, way * self.width)
        behind = self.space.blend(self.space.seed(302), self.space.seed(303), way * self.width)
        return self.space.blend(ahead, behind, 0.5 * side, self.calm)
