// Kaleidoscope: one wedge of the picture, repeated around the middle.
//@ neutral amount=0
uniform float amount = 1.0;   // 0 not at all, 1 wholly; between them both are seen
uniform float segments = 6.0; // wedges around; rounded to whole ones
uniform float angle = 0.0;    // where in the picture the wedge lies, in degrees
uniform float turn = 0.0;     // turns what is seen, in degrees
uniform float zoom = 1.0;     // above 1 nearer

void main() {
    const float TAU = 6.28318530718;
    float aspect = resolution.x / resolution.y, wedge = TAU / max(round(segments), 1.0);
    vec2 p = (uv - 0.5) * vec2(aspect, 1.0) + 1e-7; // the middle itself lies in no direction
    float around = atan(p.y, p.x) - radians(turn) + 0.25 * TAU;
    around = abs(mod(around, wedge) - 0.5 * wedge) - 0.25 * TAU + radians(angle);
    vec2 at = length(p) / max(zoom, 0.01) * vec2(cos(around), sin(around)) / vec2(aspect, 1.0) + 0.5;
    at = 1.0 - abs(1.0 - mod(at, 2.0)); // past the border the picture comes back
    color = vec4(mix(here(source), texture(source, at).rgb, amount), 1.0);
}
