-- A text: "level at"; the level is tokens times window, so that nothing is rounded while it is a safe integer.
local function bucketText(level, at)
  return string.format('%.17g', level) .. ' ' .. whole(at)
end

-- Of rates that need longer, Redis would refuse the end: it is some hundred thousand years away.
local LONGEST = 9007199254740991

strategies.b = {
  load = function(key, rate, now)
    local full = rate.burst * rate.window
    local text = redis.call('GET', key)
    if not text then return { level = full } end
    local level, at = string.match(text, '^(%S+) (%d+)$')
    level, at = tonumber(level), tonumber(at)
    if now > at then level = math.min(full, level + (now - at) * rate.limit) end
    if now < at then redis.call('SET', key, bucketText(level, now), 'KEEPTTL') end
    return { level = level }
  end,

  available = function(state, rate)
    return math.floor(state.level / rate.window)
  end,

  waitFor = function(state, rate, _, cost)
    if cost > rate.burst then return math.huge end
    return math.max(0, math.ceil((cost * rate.window - state.level) / rate.limit))
  end,

  take = function(state, rate, _, cost)
    -- Below nothing only by what rounding has promised too much.
    state.level = math.max(0, state.level - cost * rate.window)
  end,

  save = function(state, rate, now, key)
    local idleAfter = math.min(LONGEST, math.ceil((rate.burst * rate.window) / rate.limit))
    redis.call('SET', key, bucketText(state.level, now), 'PX', whole(idleAfter))
  end,

  resetAfter = function(state, rate)
    return math.ceil((rate.burst * rate.window - state.level) / rate.limit)
  end,
}
