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
    calm = Param(0.8, 0.3, 1.2, glide=1.0, doc="Truncation: low is average, high is strange.")
    stranger = Trigger(doc="Somebody else, now.")
    passes = (
        Pass("post/grade", contrast=Param(1.08, 0.5, 2, glide=0.5, doc="Contrast.")),
        Pass("post/bloom", amount=Param(0.12, 0, 1, glide=0.3, doc="Light spilling over.")),
        Pass("post/vignette", amount=Param(0.45, 0, 1, glide=0.5, doc="How dark the corners get.")),
    )

    def start(self, space: Space) -> None:
        self.space = space
        self.who, self.turn, self.progress, self.last_beat, self.phase = 0, 0, 0.0, 0.0, 0.0
        self.worn = self.next = space.seed(500)
        self.choose()

    def step(self, frame: Frame) -> Point:
        self.phase += frame.dt * 0.07  # breaths a second
        self.progress += (frame.beat - self.last_beat) / self.beats
        self.last_beat = frame.beat
        if self.stranger:
            self.turn, self.progress = int(self.changes), 1.0
        if self.progress >= 1:
            self.progress %= 1.0
            self.worn, self.turn = self.next, self.turn + 1
            self.choose()
        x = min(1.0, max(0.0, (self.progress - (1 - self.fade)) / self.fade))
        point = self.space.blend(self.worn, self.next, x * x * (3 - 2 * x), self.calm)
        near = self.breath * (0.5 - 0.5 * math.cos(self.phase * math.tau))
        moved = self.space.blend(point, self.space.seed(900 + self.who), near)
        return self.space.wear(moved, point)

    def choose(self) -> None:
        """What comes next: one other value of one label, or another z with all else kept."""
        names = [*self.space.labels]
        if self.turn >= self.changes or not names:
            self.who, self.turn = self.who + 1, 0
            self.next = self.space.wear(self.space.seed(500 + self.who), self.worn)
            return
        number = self.who * 7 + self.turn
        name = names[number % len(names)]
        value = (number * 5 + 3) % self.space.labels[name]
        weights = [float(k == value) for k in range(self.space.labels[name])]
        self.next = self.space.label(self.worn, name, weights)
