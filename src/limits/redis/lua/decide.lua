-- KEYS: where each claim counts. ARGV: "take" or "read"; the time in ms, or nothing for that of the server; then of each
-- claim its strategy, cost, limit, window (ms) and burst.
-- Takes every claim when all fit, else none. Answers of each: 1 when it fits, what remains, ms until everything is
-- available again, ms until it would fit (-1: never).
local now = tonumber(ARGV[2]) or clock()
local states, charges, fits = {}, {}, true

for index, key in ipairs(KEYS) do
  local at = 5 * index - 2
  local strategy = strategies[ARGV[at]]
  local rate = { limit = tonumber(ARGV[at + 2]), window = tonumber(ARGV[at + 3]), burst = tonumber(ARGV[at + 4]) }
  local state = states[key]
  if not state then
    state = strategy.load(key, rate, now)
    state.claimed = 0
    states[key] = state
  end
  local charge = { key = key, strategy = strategy, rate = rate, state = state, cost = tonumber(ARGV[at + 1]), wait = 0 }
  -- Claims of the same subject add up.
  state.claimed = state.claimed + charge.cost
  -- Less than nothing where a limit was lowered, or the clock has jumped back.
  charge.left = math.max(0, strategy.available(state, rate, now))
  charge.fits = state.claimed <= charge.left
  if not charge.fits then
    charge.wait = strategy.waitFor(state, rate, now, state.claimed, key)
    fits = false
  end
  charges[index] = charge
end

if fits and ARGV[1] == 'take' then
  local taken = {}
  for _, charge in ipairs(charges) do
    if charge.cost > 0 then
      charge.strategy.take(charge.state, charge.rate, now, charge.cost)
      taken[charge.key] = charge
    end
  end
  for key, charge in pairs(taken) do charge.strategy.save(charge.state, charge.rate, now, key) end
  if #charges == 1 then
    -- What was promised, where a bucket is too large for exact arithmetic.
    charges[1].left = charges[1].left - charges[1].cost
  else
    for _, charge in ipairs(charges) do
      charge.left = math.max(0, charge.strategy.available(charge.state, charge.rate, now))
    end
  end
end

-- Integers of Redis have 64 bits; of extreme rates times are longer.
local function answerOf(number)
  if number == math.huge then return -1 end
  return number <= 9007199254740991 and number or string.format('%.17g', number)
end

local answers = {}
for index, charge in ipairs(charges) do
  local at = 4 * index - 3
  local reset = charge.fits and charge.strategy.resetAfter(charge.state, charge.rate, now) or charge.wait
  answers[at] = charge.fits and 1 or 0
  answers[at + 1] = charge.left
  answers[at + 2] = answerOf(reset)
  answers[at + 3] = answerOf(charge.wait)
end
return answers
