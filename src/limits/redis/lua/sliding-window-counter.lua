-- A text: "start current previous".
local function counterText(state)
  return whole(state.start) .. ' ' .. whole(state.current) .. ' ' .. whole(state.previous)
end

local function counterLeft(state, rate, now)
  local weighted = math.ceil((state.previous * (rate.window - (now - state.start))) / rate.window)
  return rate.limit - state.current - weighted
end

local function fitsAt(previous, room, window)
  return window - math.floor((room * window) / previous)
end

strategies.c = {
  load = function(key, rate, now)
    local text = redis.call('GET', key)
    if not text then return { start = now, current = 0, previous = 0 } end
    local start, current, previous = string.match(text, '^(%d+) (%d+) (%d+)$')
    local state = { start = tonumber(start), current = tonumber(current), previous = tonumber(previous) }
    local elapsed = now - state.start
    if elapsed < 0 then
      state.start = now
      redis.call('SET', key, counterText(state), 'KEEPTTL')
    elseif elapsed >= 2 * rate.window then
      state = { start = now, current = 0, previous = 0 }
    elseif elapsed >= rate.window then
      state = { start = state.start + rate.window, current = 0, previous = state.current }
    end
    return state
  end,

  available = function(state, rate, now)
    return counterLeft(state, rate, now)
  end,

  waitFor = function(state, rate, now, cost)
    if cost > rate.limit then return math.huge end
    local untilNext = state.start + rate.window - now
    local room = rate.limit - cost
    if state.current > room then return untilNext + fitsAt(state.current, room, rate.window) end
    return untilNext - rate.window + fitsAt(state.previous, room - state.current, rate.window)
  end,

  take = function(state, _, now, cost)
    -- Buckets begin with the first unit after a pause.
    if state.current == 0 and state.previous == 0 then state.start = now end
    state.current = state.current + cost
  end,

  save = function(state, rate, _, key)
    redis.call('SET', key, counterText(state), 'PX', whole(2 * rate.window))
  end,

  resetAfter = function(state, rate, now)
    if state.current > 0 then return state.start + 2 * rate.window - now end
    return state.previous > 0 and state.start + rate.window - now or 0
  end,
}
