-- A list with an entry for each millisecond in which something was taken: "time units sum", where `sum` is of all units
-- up to and with this entry. So what is in the window is a difference, and a waiting time is found by halving.
local function entryAt(key, index)
  local time, units, sum = string.match(redis.call('LINDEX', key, index), '^(%d+) (%d+) (%d+)$')
  return { time = tonumber(time), units = tonumber(units), sum = tonumber(sum) }
end

local function entryOf(time, units, sum)
  return whole(time) .. ' ' .. whole(units) .. ' ' .. whole(sum)
end

-- The clock has jumped back: entries of the future become one of `now`. Nothing is emptied, so the list keeps its end.
local function pullBack(key, count, newest, now)
  local sum, units = newest.sum, 0
  local earlier = newest
  while earlier and earlier.time >= now do
    units = units + earlier.units
    count = count - 1
    earlier = count > 0 and entryAt(key, count - 1) or nil
  end
  redis.call('LSET', key, count, entryOf(now, units, sum))
  redis.call('LTRIM', key, 0, count)
  return count + 1, { time = now, units = units, sum = sum }
end

-- How many entries have left. Gallops first, since mostly few have.
local function countUntil(key, count, horizon)
  local low, high = 1, 1
  while high < count and entryAt(key, high).time <= horizon do
    low = high + 1
    high = high * 2
  end
  high = math.min(high, count)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if entryAt(key, middle).time <= horizon then low = middle + 1 else high = middle end
  end
  return low
end

strategies.e = {
  load = function(key, rate, now)
    local count = redis.call('LLEN', key)
    if count == 0 then return { total = 0, first = 0, count = 0 } end
    local newest = entryAt(key, -1)
    if newest.time > now then count, newest = pullBack(key, count, newest, now) end
    local horizon = now - rate.window
    if newest.time <= horizon then return { total = 0, first = count, count = count } end
    local first, oldest = 0, entryAt(key, 0)
    if oldest.time <= horizon then
      first = countUntil(key, count, horizon)
      oldest = entryAt(key, first)
    end
    local before = oldest.sum - oldest.units
    return { total = newest.sum - before, before = before, first = first, count = count, newest = newest }
  end,

  available = function(state, rate)
    return rate.limit - state.total
  end,

  waitFor = function(state, rate, now, cost, key)
    if cost > rate.limit then return math.huge end
    local sum = state.before + cost - (rate.limit - state.total)
    local low, high = state.first, state.count - 1
    while low < high do
      local middle = math.floor((low + high) / 2)
      if entryAt(key, middle).sum < sum then low = middle + 1 else high = middle end
    end
    return entryAt(key, low).time + rate.window - now
  end,

  take = function(state, _, _, cost)
    state.taken = (state.taken or 0) + cost
    state.total = state.total + cost
  end,

  save = function(state, rate, now, key)
    local newest = state.newest or { sum = 0 }
    local isSame = newest.time == now
    local units = (isSame and newest.units or 0) + state.taken
    local entry = entryOf(now, units, newest.sum + state.taken)
    if state.first > 0 then redis.call('LTRIM', key, state.first, -1) end
    if isSame then redis.call('LSET', key, -1, entry) else redis.call('RPUSH', key, entry) end
    redis.call('PEXPIRE', key, rate.window)
  end,

  resetAfter = function(state, rate, now)
    if state.total == 0 then return 0 end
    return (state.taken and now or state.newest.time) + rate.window - now
  end,
}
