// The first picture, before any network has loaded, and the last one when everything else fails:
// a carved face in the dark, breathing, with a light that goes slowly around it. Every motion
// divides 4096 seconds, so that it can stand for days without a jump.
uniform float glow = 1.0; // brightness

const float TAU = 6.28318530718;

float wave(float turns) { // -1 to 1, so many turns in 4096 seconds
    return sin(TAU * turns / 4096.0 * time);
}

float hill(float x) { // a smooth bump around 0, one unit wide
    x = clamp(1.0 - x * x, 0.0, 1.0);
    return x * x;
}

void main() {
    vec2 p = (2.0 * gl_FragCoord.xy - resolution) / min(resolution.x, resolution.y) * 1.12;
    float breath = wave(512.0), x = abs(p.x), y = p.y - 0.012 * breath;

    // the carving: an egg, brows running into the nose, sockets with lids, lips, grooves
    float width = 0.56 - 0.17 * smoothstep(0.1, -0.9, y) + 0.02 * y;
    float rim = length(vec2(x / width, y / 0.86));
    float dome = sqrt(max(1.0 - rim * rim, 0.0));
    float brow = y - 0.30 - 0.10 * hill((x - 0.26) / 0.34) + 0.35 * max(0.1 - x, 0.0);
    float ridge = hill(brow / 0.10) * smoothstep(0.5, 0.3, x);
    float nose = hill(x / (0.05 + 0.075 * smoothstep(0.25, -0.22, y)))
               * smoothstep(-0.24, -0.17, y) * smoothstep(0.38, 0.2, y);
    vec2 eye = vec2(x - 0.24, y - 0.13 + 0.12 * (x - 0.24)) / vec2(0.14, 0.085);
    float socket = hill(length(eye * vec2(0.75, 0.6)));
    float lids = length(vec2(eye.x, eye.y / (0.42 + 0.05 * breath)));
    float lips = length(vec2(x, y + 0.46) / vec2(0.17, 0.05));
    float height = 0.55 * dome + 0.09 * ridge + 0.16 * nose - 0.08 * socket
                 + 0.05 * hill((lips - 1.0) / 0.8) + 0.035 * hill((lids - 1.35) / 0.75);
    float grooves = sin(44.0 * rim + 0.35 * wave(128.0)) * smoothstep(0.62, 0.75, rim);
    height += 0.004 * grooves * smoothstep(1.0, 0.96, rim);

    // light from above, going slowly from side to side, and a cold one behind
    vec2 slope = vec2(dFdx(height), dFdy(height)) * 0.5 * min(resolution.x, resolution.y) / 1.12;
    vec3 normal = normalize(vec3(-slope, 1.0));
    vec3 lamp = normalize(vec3(0.85 * wave(205.0), 0.75 + 0.2 * wave(122.0), 0.55));
    vec3 between = normalize(lamp + vec3(0.0, 0.0, 1.0));
    float lit = max(dot(normal, lamp), 0.0), shine = pow(max(dot(normal, between), 0.0), 24.0);
    vec3 wood = mix(vec3(0.30, 0.12, 0.045), vec3(0.42, 0.23, 0.09), 0.5 + 0.5 * grooves);
    vec3 face = wood * (0.015 + 0.55 * lit * lit) + 0.10 * shine * vec3(1.0, 0.8, 0.55)
              + 0.05 * pow(clamp(rim, 0.0, 1.0), 8.0) * vec3(0.15, 0.3, 0.5);
    float open = max(smoothstep(1.08, 0.88, lids), smoothstep(0.42, 0.34, lips));
    face = mix(face, vec3(0.0015), open);

    // the dark behind it is not quite empty
    vec2 halo = (p - vec2(0.25 * lamp.x, 0.15)) * vec2(0.9, 0.75);
    vec3 ground = vec3(0.013, 0.010, 0.012) * exp(-1.6 * dot(halo, halo));
    ground += vec3(0.0012, 0.0012, 0.002);
    color = vec4(glow * mix(ground, face, smoothstep(1.004, 0.988, rim)), 1.0);
}
