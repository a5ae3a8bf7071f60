// SPDX-License-Identifier: Apache-2.0
// International host names: lower case, NFC, then Punycode (RFC 3492).
function adapt(delta, count, first) {
    let scaled = first ? Math.floor(delta / 700) : delta >> 1;
    scaled += Math.floor(scaled / count);
    let k = 0;
    for (; scaled > 455; k += 36) {
        scaled = Math.floor(scaled / 35);
    }
    return k + Math.floor((36 * scaled) / (scaled + 38));
}

function digit(value) {
    return String.fromCharCode(value < 26 ? value + 97 : value + 22);
}

function encodeLabel(label) {
    const points = Array.from(label, (c) => c.codePointAt(0));
    let out = points.filter((c) => c < 128).map((c) => String.fromCharCode(c)).join('');
    const basic = out.length;
    let handled = basic;
    let [n, delta, bias] = [128, 0, 72];
    if (basic > 0) {
        out += '-';
    }
    while (handled < points.length) {
        const next = Math.min(...points.filter((c) => c >= n));
        delta += (next - n) * (handled + 1);
        n = next;
        for (const c of points) {
            if (c < n) {
                delta++;
            }
            if (c === n) {
                let q = delta;
                for (let k = 36; ; k += 36) {
                    const t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
                    if (q < t) {
                        break;
                    }
                    out += digit(t + ((q - t) % (36 - t)));
                    q = Math.floor((q - t) / (36 - t));
                }
                out += digit(q);
                bias = adapt(delta, handled + 1, handled === basic);
                delta = 0;
                handled++;
            }
        }
        delta++;
        n++;
    }
    return `xn--${out}`;
}

export function hostToAscii(host) {
    const folded = host
        .normalize('NFKC')
        .toLowerCase()
        .replace(/\u00ad|\u200b/g, '')
        .replace(/[\u3002\uff0e\uff61]/g, '.');
    return folded
        .split('.')
        // eslint-disable-next-line no-control-regex
        .map((label) => (/^[\x00-\x7f]*$/.test(label) ? label : encodeLabel(label)))
        .join('.');
}
