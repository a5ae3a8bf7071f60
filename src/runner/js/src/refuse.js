// SPDX-License-Identifier: Apache-2.0
// Things of Node that cannot work in the sandbox: there to be named, inherited from and looked into; a call
// says what is wrong.
export function refused(name) {
    function refuse() {
        throw new Error(`${name} is not offered to scripts`);
    }
    // So that those who import it whole look into this very object.
    Object.defineProperty(refuse, '__esModule', { value: true });
    const all = new Proxy(refuse, {
        get(target, key) {
            if (typeof key === 'symbol' || key in target || key === 'then') {
                return Reflect.get(target, key);
            }
            target[key] = key === 'default' ? all : refused(`${name}.${key}`);
            return target[key];
        }
    });
    return all;
}
