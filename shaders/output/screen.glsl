// One screen of the wall: its part of the picture, with corners and edges elsewhere, where it has to
// lie; black around it. Its edge is drawn as finely as a pixel allows, and fades where another
// screen shows the same, so that both together are as bright as one.
#include "lib/color.glsl"
uniform mat3 to_square = mat3(1.0); // from a place on the screen to one in its square, by the corners
uniform vec4 bow = vec4(0.0);       // of the top, right, bottom and left edge: its middle, moved
uniform mat2 turned = mat2(1.0);    // from the middle of the square to the middle of the part
uniform vec4 part = vec4(0.0, 0.0, 1.0, 1.0); // of the picture: left, bottom, width, height
uniform vec4 soft = vec4(0.0);      // left, bottom, right, top: how much of the part others light too
uniform float seam = 1.0;           // more is darker there
uniform float grid = 0.0;           // lines to align by, over the picture
uniform float number = 1.0;         // of the screen, from 1: the colour of its lines, and its dots
uniform sampler2D mask;             // over the screen; black stays dark

float near(float away, float pixel) { // 1 within a pixel of where this is 0
    return 1.0 - smoothstep(0.5, 1.5, abs(away) / max(pixel, 1e-6));
}

vec3 lines(vec2 place, vec2 q) { // by the picture, so that what two screens show of them must meet
    vec2 shape = vec2(textureSize(source, 0)); // of the whole picture, for squares and circles
    vec2 at = (place - 0.5) * shape / shape.y, cell = at * 16.0;
    vec2 cells = fract(cell + 0.5) - 0.5; // 0 on each line; 16 to the picture's height
    vec2 own = (q - 0.5) * part.zw * shape / shape.y;
    float round = length(own) - 0.4 * min(part.z * shape.x / shape.y, part.w);
    vec2 pixel = fwidth(at);
    float white = max(max(near(at.x, pixel.x), near(at.y, pixel.y)), near(round, fwidth(round)));
    vec4 rim = vec4(q, 1.0 - q);
    rim /= max(fwidth(rim), vec4(1e-6));
    float edge = 1.0 - smoothstep(1.0, 3.0, min(min(rim.x, rim.y), min(rim.z, rim.w)));
    vec3 tint = 0.5 + 0.5 * cos(6.2832 * (number * 0.382 + vec3(0.0, 0.33, 0.67)));
    vec2 dots = vec2((own.x * 32.0 + 0.5 * number), own.y * 32.0 - 2.0); // as many as its number
    bool counted = dots.x > 0.0 && dots.x < number && length(vec2(fract(dots.x) - 0.5, dots.y)) < 0.32;
    float crossed = max(near(cells.x, 16.0 * pixel.x), near(cells.y, 16.0 * pixel.y));
    vec3 drawn = mix(tint * crossed, vec3(1.0), max(white, edge));
    return counted ? vec3(1.0) : drawn;
}

void main() {
    vec3 p = to_square * vec3(uv, 1.0);
    vec2 along = clamp(p.xy / max(p.z, 1e-6), 0.0, 1.0), arch = 4.0 * along * (1.0 - along);
    vec2 low = bow.wz * arch.yx, high = 1.0 + bow.yx * arch.yx;
    p.xy = (p.xy - low * p.z) / (high - low);
    // How far within each edge: without the division, which has no end where the picture's plane
    // passes the eye. Beyond that one of them is below 0.
    vec4 within = vec4(p.xy, p.z - p.xy);
    within = clamp(within / max(fwidth(within), vec4(1e-6)) + 0.5, 0.0, 1.0);
    float light = within.x * within.y * within.z * within.w;
    vec2 q = turned * (p.xy / max(p.z, 1e-6) - 0.5) + 0.5, place = part.xy + q * part.zw;
    // two ramps that meet are 1 together, in linear light
    vec4 ramp = smoothstep(0.0, 1.0, vec4(q, 1.0 - q) / max(soft, vec4(1e-6)));
    light *= pow(ramp.x * ramp.y * ramp.z * ramp.w, seam) * to_linear(texture(mask, uv).rrr).r;
    vec3 shown = texture(source, place).rgb;
    if (grid > 0.0) shown = mix(shown, lines(place, q), grid);
    color = vec4(shown * light, 1.0);
}
