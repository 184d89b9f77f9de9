-- A hash of units by sub-window, a sixty-fourth of the window; these are numbered from the epoch on.
local SUB_WINDOWS = 64

local function subWindowOf(time, window)
  return math.floor((time * SUB_WINDOWS) / window)
end

local function leavesAfter(index, window, now)
  return math.ceil(((index + 1) * window) / SUB_WINDOWS) - 1 + window - now
end

strategies.s = {
  load = function(key, rate, now)
    local current = subWindowOf(now, rate.window)
    -- The next millisecond after now - window is the first that counts.
    local first = subWindowOf(now + 1, rate.window) - SUB_WINDOWS
    local state = { total = 0, units = {}, newest = -1, left = {}, current = current }
    local later, moved = {}, 0
    local fields = redis.call('HGETALL', key)
    for at = 1, #fields, 2 do
      local index, units = tonumber(fields[at]), tonumber(fields[at + 1])
      if index < first then
        state.left[#state.left + 1] = fields[at]
      else
        if index > current then
          later[#later + 1] = fields[at]
          moved = moved + units
          index = current
        end
        state.units[index] = (state.units[index] or 0) + units
        state.total = state.total + units
        state.newest = math.max(state.newest, index)
      end
    end
    -- The clock has jumped back: units of later sub-windows become units of this one.
    if moved > 0 then
      redis.call('HSET', key, whole(current), whole(state.units[current]))
      redis.call('HDEL', key, unpack(later))
    end
    return state
  end,

  available = function(state, rate)
    return rate.limit - state.total
  end,

  waitFor = function(state, rate, now, cost)
    if cost > rate.limit then return math.huge end
    local missing = cost - (rate.limit - state.total)
    local indexes = {}
    for index in pairs(state.units) do indexes[#indexes + 1] = index end
    table.sort(indexes)
    for _, index in ipairs(indexes) do
      missing = missing - state.units[index]
      if missing <= 0 then return leavesAfter(index, rate.window, now) end
    end
  end,

  take = function(state, _, _, cost)
    state.units[state.current] = (state.units[state.current] or 0) + cost
    state.total = state.total + cost
    state.newest = state.current
  end,

  save = function(state, rate, _, key)
    redis.call('HSET', key, whole(state.current), whole(state.units[state.current]))
    if #state.left > 0 then redis.call('HDEL', key, unpack(state.left)) end
    redis.call('PEXPIRE', key, whole(rate.window + math.ceil(rate.window / SUB_WINDOWS)))
  end,

  resetAfter = function(state, rate, now)
    if state.total == 0 then return 0 end
    return math.max(0, leavesAfter(state.newest, rate.window, now))
  end,
}
