-- A text: four numbers (the oldest sub-window, units before the newest one, the newest sub-window, its units), then a
-- packed list "index, units, index, units, ..." of all before the newest. So most calls change four numbers only.
-- Sub-windows are sixty-fourths of the window, numbered from the epoch on.
local SUB_WINDOWS = 64
local HEAD = '<I8I8I8I8'
local HEAD_LENGTH = 32

local function subWindowOf(time, window)
  return math.floor((time * SUB_WINDOWS) / window)
end

local function leavesAfter(index, window, now)
  return math.ceil(((index + 1) * window) / SUB_WINDOWS) - 1 + window - now
end

local function subWindowsText(state)
  local packed = state.packed or cmsgpack.pack(state.list)
  return struct.pack(HEAD, state.oldest, state.older, state.newest, state.units) .. packed
end

local function olderOf(state)
  state.list = state.list or (state.older > 0 and cmsgpack.unpack(state.packed) or {})
  return state.list
end

local function push(state, index, units)
  local list = olderOf(state)
  if #list == 0 then state.oldest = index end
  list[#list + 1] = index
  list[#list + 1] = units
  state.older = state.older + units
  state.packed = nil
end

-- What is left of a state at `first`, the oldest sub-window that counts, when it is `current` now.
local function rebuild(state, first, current)
  local list, newest, units = olderOf(state), state.newest, state.units
  local left = { list = {}, older = 0, oldest = newest, newest = math.min(newest, current), units = units }
  for at = 1, #list, 2 do
    if list[at] >= left.newest then
      left.units = left.units + list[at + 1]
    elseif list[at] >= first then
      push(left, list[at], list[at + 1])
    end
  end
  return left
end

strategies.s = {
  load = function(key, rate, now)
    local current = subWindowOf(now, rate.window)
    -- The next millisecond after now - window is the first that counts.
    local first = subWindowOf(now + 1, rate.window) - SUB_WINDOWS
    local text = redis.call('GET', key)
    local state = { list = {}, older = 0, oldest = current, newest = current, units = 0 }
    if not text then return state end
    local oldest, older, newest, units = struct.unpack(HEAD, text)
    if newest < first then return state end
    local packed = string.sub(text, HEAD_LENGTH + 1)
    state = { packed = packed, older = older, oldest = oldest, newest = newest, units = units }
    if oldest < first or newest > current then state = rebuild(state, first, current) end
    -- The clock has jumped back: units of later sub-windows have become units of this one.
    if newest > current then redis.call('SET', key, subWindowsText(state), 'KEEPTTL') end
    return state
  end,

  available = function(state, rate)
    return rate.limit - state.older - state.units
  end,

  waitFor = function(state, rate, now, cost)
    if cost > rate.limit then return math.huge end
    local missing = cost - (rate.limit - state.older - state.units)
    local list, at = olderOf(state), 1
    while at < #list and missing > list[at + 1] do
      missing = missing - list[at + 1]
      at = at + 2
    end
    return leavesAfter(list[at] or state.newest, rate.window, now)
  end,

  take = function(state, rate, now, cost)
    local current = subWindowOf(now, rate.window)
    if state.newest < current then
      push(state, state.newest, state.units)
      state.newest = current
      state.units = 0
    end
    state.units = state.units + cost
  end,

  save = function(state, rate, _, key)
    local idleAfter = rate.window + math.ceil(rate.window / SUB_WINDOWS)
    redis.call('SET', key, subWindowsText(state), 'PX', whole(idleAfter))
  end,

  resetAfter = function(state, rate, now)
    if state.units == 0 then return 0 end
    return math.max(0, leavesAfter(state.newest, rate.window, now))
  end,
}
