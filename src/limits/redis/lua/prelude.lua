-- Each strategy counts exactly as its namesake in src/limits does. A state is what is left at `now`: what has left the
-- window is gone, and what lies in the future, since the clock jumped back, has become what happens now.
-- Only that jump is written at once; else a state is written only when something was taken.
local strategies = {}

-- All digits: numbers of Lua lose the last ones of a time when they become text by themselves.
local function whole(number)
  return string.format('%.0f', number)
end

local function clock()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
