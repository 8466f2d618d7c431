//! What has to happen at once on the server.

use ::redis::Script;

/// Sets a value if what is there is what was seen: `KEYS[1]`, whether there was a value, which, and the new one.
const SWAP: &str = r"
    local now = redis.call('GET', KEYS[1])
    local same = now == false
    if ARGV[1] == '1' then same = now == ARGV[2] end
    if same then
        redis.call('SET', KEYS[1], ARGV[3])
        return {1, false}
    end
    return {0, now}
";

/// The values under all of `KEYS`, or nothing where they have more than `ARGV[1]` bytes together.
const GET_MANY: &str = r"
    local bytes = 0
    for _, key in ipairs(KEYS) do bytes = bytes + redis.call('STRLEN', key) end
    if bytes > tonumber(ARGV[1]) then return false end
    return redis.call('MGET', unpack(KEYS))
";

#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) swap: Script,
    pub(super) get_many: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self { swap: Script::new(SWAP), get_many: Script::new(GET_MANY) }
    }
}
