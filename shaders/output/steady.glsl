// What the upscaler adds to a frame, averaged over time where the picture stands still; where it
// moves, as it is now. First row at the top, as in the upscaler, whose Catmull-Rom base this is.
// `source` was upscaled just now, from `original`; `previous` is what was added to the frame before.
uniform sampler2D before; // the frame before
uniform float keep = 0.0; // share of what was added before that stays

layout(location = 1) out vec4 added;

const vec2 STILL = vec2(2.0, 8.0) / 255.0; // differences of frames: all still below, all moving above
const vec2 ALIKE = vec2(0.1, 0.2);         // differences of what is added: beyond, it is a new picture

vec3 at(sampler2D from, ivec2 p) {
    return texelFetch(from, clamp(p, ivec2(0), textureSize(from, 0) - 1), 0).rgb;
}

float largest(vec3 c) { return max(c.r, max(c.g, c.b)); }

vec4 cubic(float f) { // weights of the four texels around, a = -0.5
    float g = 1.0 - f, wa = -0.5 * f * g * g, wd = -0.5 * g * f * f;
    float wc = f * (0.5 + f * (2.0 - 1.5 * f));
    return vec4(wa, 1.0 - wa - wc - wd, wc, wd);
}

void main() {
    vec2 scale = vec2(textureSize(original, 0)) / vec2(textureSize(source, 0));
    ivec2 pixel = ivec2(gl_FragCoord.xy), texel = ivec2(gl_FragCoord.xy * scale);
    vec2 x = gl_FragCoord.xy * scale - 0.5;
    ivec2 p = ivec2(floor(x));
    vec4 across = cubic(x.x - float(p.x)), down = cubic(x.y - float(p.y));
    vec3 base = vec3(0.0);
    for (int dy = 0; dy < 4; dy++)
        for (int dx = 0; dx < 4; dx++)
            base += down[dy] * across[dx] * at(original, p + ivec2(dx - 1, dy - 1));
    float motion = 0.0;
    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++) {
            ivec2 near = texel + ivec2(dx, dy);
            motion = max(motion, largest(abs(at(original, near) - at(before, near))));
        }
    vec3 now = texelFetch(source, pixel, 0).rgb - base, then = texelFetch(previous, pixel, 0).rgb;
    float still = 1.0 - smoothstep(STILL.x, STILL.y, motion);
    still *= 1.0 - smoothstep(ALIKE.x, ALIKE.y, largest(abs(now - then)));
    added = vec4(mix(now, then, keep * still), 1.0);
    color = vec4(clamp(base + added.rgb, 0.0, 1.0), 1.0);
}
