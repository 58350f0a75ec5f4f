-- The quota decision for stores in Redis: the same, line by line, as account.py and window.py,
-- where the reasons are. A property test drives both with the same commands and compares.
--
-- KEYS[1]  the account's state, a MessagePack array
-- ARGV[1]  the command, a MessagePack map
-- ARGV[2]  the rules, a MessagePack map
-- ARGV[3]  milliseconds after which an unused state is forgotten
-- returns  the reply, a MessagePack map

local VERSION, NOW, BURST, SUSTAINED, LEASES, HEARD = 1, 2, 3, 4, 5, 6
local BLOCKED_UNTIL, BLOCKED_BY_DAY, HALF_OPEN, LAST_BULK = 7, 8, 9, 10
local LIMIT, LOWERED, USED, SURE, LEFT, LOG = 1, 2, 3, 4, 5, 6
local GHOSTS, GHOST_FLOOR, GHOST_NEXT, GHOST_LAST, GHOST_RAISED = 7, 8, 9, 10, 11
local E_SENT, E_STAMP, E_COUNT, E_SURE = 1, 2, 3, 4
local L_ID, L_SENT, L_EXPIRES, L_BURST_LEFT, L_SUSTAINED_LEFT = 1, 2, 3, 4, 5

local FORMAT = 1
local INF = math.huge
local BULK = 2
local MOMENT = 0.001
local LONGEST_FLIGHT = 300
local RESET_ROUNDING = 2

local rules = cmsgpack.unpack(ARGV[2])
local NAMES = { [BURST] = 'burst', [SUSTAINED] = 'sustained' }
local RULES = { [BURST] = rules.burst, [SUSTAINED] = rules.sustained }

local function fresh_window(limit)
  return { limit, -INF, 0, 0, 0, {}, 0, -INF, INF, -INF, -INF }
end

local function fresh_state(now)
  return {
    FORMAT, now, fresh_window(rules.burst.limit), fresh_window(rules.sustained.limit), {},
    -INF, -INF, false, false, -INF,
  }
end

-- one window -------------------------------------------------------------------------------

local function forget_ghosts_if_none(window)
  if window[GHOSTS] == 0 then
    window[GHOST_FLOOR], window[GHOST_NEXT], window[GHOST_LAST] = -INF, INF, -INF
  end
end

local function advance_window(window, its, now)
  local stay, log, gone = its.period + its.margin, window[LOG], 0
  for place = 1, #log do
    local entry = log[place]
    if entry[E_STAMP] + stay > now then break end
    gone = gone + 1
    window[USED] = window[USED] - entry[E_COUNT]
    window[SURE] = window[SURE] - entry[E_SURE]
    window[LEFT] = window[LEFT] + entry[E_COUNT]
  end
  if gone > 0 then
    local kept = {}
    for place = gone + 1, #log do kept[#kept + 1] = log[place] end
    window[LOG] = kept
  end
  if window[GHOSTS] > 0 then
    if window[GHOST_LAST] <= now then
      window[GHOSTS] = 0
    elseif window[GHOST_NEXT] <= now then
      window[GHOSTS] = window[GHOSTS] - 1
      window[GHOST_NEXT] = INF
    end
    forget_ghosts_if_none(window)
  end
end

local function record(window, its, sent, stamp, sure)
  local log = window[LOG]
  local place = #log
  while place > 0 and log[place][E_STAMP] > stamp do place = place - 1 end
  if its.grain > 0 and place > 0 and stamp - log[place][E_SENT] <= its.grain then
    local bucket = log[place]
    bucket[E_SENT] = math.min(bucket[E_SENT], sent)
    bucket[E_STAMP] = stamp
    bucket[E_COUNT] = bucket[E_COUNT] + 1
    bucket[E_SURE] = bucket[E_SURE] + sure
  else
    table.insert(log, place + 1, { sent, stamp, 1, sure })
  end
  window[USED] = window[USED] + 1
  window[SURE] = window[SURE] + sure
end

local function held(window, in_flight)
  return window[USED] + in_flight + window[GHOSTS]
end

local function capacity(window, its, reserved)
  if not reserved then return window[LIMIT] end
  local share = its.reserve
  if share < 1 then share = math.ceil(window[LIMIT] * share) end
  return math.max(1, window[LIMIT] - math.floor(share))
end

-- The times at which phantoms leave, as pairs of a time and a number.
local function ghost_times(window, now, hopeful)
  if hopeful then return { { math.max(now, window[GHOST_FLOOR]), window[GHOSTS] } } end
  if window[GHOSTS] == 0 then return {} end
  return {
    { math.min(window[GHOST_NEXT], window[GHOST_LAST]), 1 },
    { window[GHOST_LAST], window[GHOSTS] - 1 },
  }
end

local function leave_time(window, its, rank, now, hopeful)
  local stay, log = its.period + its.margin, window[LOG]
  local ghosts = ghost_times(window, now, hopeful)
  local own, other = 1, 1
  while own <= #log or other <= #ghosts do
    local time
    if other > #ghosts or (own <= #log and log[own][E_STAMP] + stay <= ghosts[other][1]) then
      time = log[own][E_STAMP] + stay
      rank = rank - log[own][E_COUNT]
      own = own + 1
    else
      time = ghosts[other][1]
      rank = rank - ghosts[other][2]
      other = other + 1
    end
    if rank <= 0 then return math.max(now, time) end
  end
  return now + stay
end

local function earliest(window, its, room, used, ahead, now)
  local turn = ahead % room
  local rounds = (ahead - turn) / room
  local rank = used - room + 1 + turn
  local first = now
  if rank > 0 then first = leave_time(window, its, rank, now, true) end
  return first + rounds * (its.period + its.margin)
end

local function paced_until(window, its, in_flight, last_bulk, now)
  local room = capacity(window, its, true)
  local used = held(window, in_flight)
  if used * 2 < window[LIMIT] or used >= room then return now end
  local free = room - used
  local first = leave_time(window, its, 1, now, false)
  return math.max(last_bulk + its.period / room, (first + free * last_bulk) / (free + 1))
end

local function certain_own(window, its, sent, now)
  local log, certain = window[LOG], window[SURE]
  for place = #log, 1, -1 do
    local entry = log[place]
    if entry[E_STAMP] <= sent then break end
    certain = certain - entry[E_SURE]
  end
  for place = 1, #log do
    local entry = log[place]
    if entry[E_STAMP] - its.grain - LONGEST_FLIGHT + its.period > now
        or entry[E_STAMP] > sent then break end
    if entry[E_SENT] + its.period <= now then certain = certain - entry[E_SURE] end
  end
  return certain
end

local function learn_ghosts(window, its, answer)
  local counted = answer.limit - answer.remaining
  local gone = window[LEFT] - answer.left
  local possible = window[USED] + gone + answer.others + answer.possibly
  local certain = certain_own(window, its, answer.sent, answer.now) + answer.certainly
  if counted > possible then
    window[GHOST_LAST] = answer.now + its.period + its.margin
    if counted - possible >= window[GHOSTS] then
      window[GHOSTS] = counted - possible
      window[GHOST_RAISED] = answer.now
    end
  end
  if answer.remaining > 0 and counted - certain < window[GHOSTS]
      and answer.sent > window[GHOST_RAISED] then
    window[GHOSTS] = math.max(0, counted - certain)
  end
  forget_ghosts_if_none(window)
end

local function learn_reset(window, its, answer)
  local latest = answer.now + answer.reset_in
  window[GHOST_FLOOR] =
    math.max(window[GHOST_FLOOR], answer.sent + answer.reset_in - RESET_ROUNDING)
  if window[LEFT] ~= answer.left or answer.oldest + its.period <= latest then return end
  for _, entry in ipairs(window[LOG]) do
    if entry[E_STAMP] - its.grain - LONGEST_FLIGHT + its.period > latest then break end
    if entry[E_SENT] + its.period <= latest then return end
  end
  window[GHOST_NEXT] = math.min(window[GHOST_NEXT], latest + its.margin)
end

local function learn(window, its, answer)
  if answer.limit < window[LIMIT] then
    window[LOWERED] = answer.now
    window[LIMIT] = answer.limit
  elseif answer.sent > window[LOWERED] then
    window[LIMIT] = answer.limit
  end
  if answer.left >= 0 then
    learn_ghosts(window, its, answer)
    if window[GHOSTS] > 0 and answer.reset_in >= 0 then learn_reset(window, its, answer) end
  end
end

-- the account ------------------------------------------------------------------------------

local function shift(state, by)
  for _, field in ipairs({ NOW, HEARD, BLOCKED_UNTIL, LAST_BULK }) do
    state[field] = state[field] + by
  end
  for _, lease in ipairs(state[LEASES]) do
    lease[L_SENT] = lease[L_SENT] + by
    lease[L_EXPIRES] = lease[L_EXPIRES] + by
  end
  for _, window in ipairs({ state[BURST], state[SUSTAINED] }) do
    for _, field in ipairs({ LOWERED, GHOST_FLOOR, GHOST_NEXT, GHOST_LAST, GHOST_RAISED }) do
      window[field] = window[field] + by
    end
    for _, entry in ipairs(window[LOG]) do
      entry[E_SENT] = entry[E_SENT] + by
      entry[E_STAMP] = entry[E_STAMP] + by
    end
  end
end

local function advance(state, now)
  if now < state[NOW] then shift(state, now - state[NOW]) end
  state[NOW] = now
  local kept = {}
  for _, lease in ipairs(state[LEASES]) do
    if lease[L_EXPIRES] <= now then
      for _, which in ipairs({ BURST, SUSTAINED }) do
        record(state[which], RULES[which], lease[L_SENT], lease[L_EXPIRES], 0)
      end
    else
      kept[#kept + 1] = lease
    end
  end
  state[LEASES] = kept
  advance_window(state[BURST], rules.burst, now)
  advance_window(state[SUSTAINED], rules.sustained, now)
end

local function take_lease(state, id)
  for place, lease in ipairs(state[LEASES]) do
    if lease[L_ID] == id then return table.remove(state[LEASES], place) end
  end
end

local function blocked(state)
  if state[BLOCKED_UNTIL] > state[NOW] then
    return state[BLOCKED_UNTIL], state[BLOCKED_BY_DAY] and 'sustained' or 'burst'
  end
  return state[NOW], nil
end

local function reply(state, granted, wait, scope)
  return {
    granted = granted, wait = wait, scope = scope, in_flight = #state[LEASES],
    limits = { state[BURST][LIMIT], state[SUSTAINED][LIMIT] },
  }
end

local function must_wait_for_answers(state, command)
  local in_flight = #state[LEASES]
  if in_flight == 0 then return false end
  local above = held(state[BURST], in_flight) >= rules.burst.limit
  local doubt = above and rules.doubt_above or rules.doubt
  if state[HALF_OPEN] or state[NOW] - state[HEARD] >= doubt then return true end
  local most = command.max_in_flight
  if command.lane == BULK and not command.hurried then most = math.max(1, most - 1) end
  return in_flight >= most
end

local function acquire(state, command)
  local now, in_flight, bulk = state[NOW], #state[LEASES], command.lane == BULK
  for _, lease in ipairs(state[LEASES]) do
    if lease[L_ID] == command.lease then return reply(state, true, 0) end
  end
  local until_, scope = blocked(state)
  for _, which in ipairs({ BURST, SUSTAINED }) do
    local window, its = state[which], RULES[which]
    local reserved = bulk and not (command.hurried and which == BURST)
    local rank = held(window, in_flight) - capacity(window, its, reserved) + 1
    local free = now
    if rank > 0 then
      free = math.max(leave_time(window, its, rank, now, false), now + MOMENT)
    elseif reserved and which == BURST then
      free = paced_until(window, its, in_flight, state[LAST_BULK], now)
    end
    if free > until_ then until_, scope = free, NAMES[which] end
  end
  if until_ > now then return reply(state, false, until_ - now, scope) end
  if must_wait_for_answers(state, command) then return reply(state, false, 0) end
  table.insert(state[LEASES], {
    command.lease, now, now + rules.lease, state[BURST][LEFT], state[SUSTAINED][LEFT],
  })
  if bulk then state[LAST_BULK] = now end
  return reply(state, true, 0)
end

local function peek(state, command)
  local now, in_flight = state[NOW], #state[LEASES]
  local until_, scope = blocked(state)
  local statuses = {}
  for _, which in ipairs({ BURST, SUSTAINED }) do
    local window, its = state[which], RULES[which]
    local room = capacity(window, its, command.lane == BULK and which == SUSTAINED)
    local used = held(window, in_flight)
    local free = earliest(window, its, room, used, command.ahead, now)
    if free > until_ then until_, scope = free, NAMES[which] end
    local first = now
    if used > 0 then first = leave_time(window, its, 1, now, true) end
    statuses[#statuses + 1] = { limit = window[LIMIT], used = used, resets_in = first - now }
  end
  local answer = reply(state, false, until_ - now, scope)
  answer.windows = statuses
  return answer
end

local function spent(reading)
  return #reading > 0 and reading[2] == 0
end

-- How many requests this one certainly, and possibly, is in one window.
local function counts(command, reading)
  if #reading == 0 then return 0, 1 end
  if not command.throttled then return 1, 1 end
  local by_minute, by_day = spent(command.burst), spent(command.sustained)
  if reading[2] > 0 then
    if by_minute or by_day then return 1, 1 end
    return 0, 1
  end
  if by_minute and by_day then return 0, 1 end
  return 0, 0
end

local function block(state, command)
  local asked = command.retry_after >= 0 and command.retry_after or rules.burst.period
  local until_ = state[NOW] + math.min(asked, rules.sustained.period) + command.jitter
  if until_ > state[BLOCKED_UNTIL] then
    state[BLOCKED_UNTIL] = until_
    state[BLOCKED_BY_DAY] = asked > 2 * rules.burst.period
      or (spent(command.sustained) and not spent(command.burst))
  end
  state[HALF_OPEN] = true
end

local function settle(state, command)
  local now = state[NOW]
  local lease = take_lease(state, command.lease)
  if not command.counted then return end
  lease = lease or { command.lease, now - LONGEST_FLIGHT, now, -1, -1 }
  local oldest = lease[L_SENT]
  for _, other in ipairs(state[LEASES]) do oldest = math.min(oldest, other[L_SENT]) end
  local lefts = { [BURST] = lease[L_BURST_LEFT], [SUSTAINED] = lease[L_SUSTAINED_LEFT] }
  for _, which in ipairs({ BURST, SUSTAINED }) do
    local reading = command[NAMES[which]]
    local certainly, possibly = counts(command, reading)
    if #reading > 0 then
      state[HEARD] = now
      learn(state[which], RULES[which], {
        limit = reading[1], remaining = reading[2], reset_in = reading[3],
        sent = lease[L_SENT], now = now, left = lefts[which], others = #state[LEASES],
        certainly = certainly, possibly = possibly, oldest = oldest,
      })
    end
    if possibly > 0 then
      record(state[which], RULES[which], lease[L_SENT], now, certainly)
    end
  end
  if command.throttled then
    block(state, command)
  elseif state[HEARD] == now and lease[L_SENT] >= state[BLOCKED_UNTIL] then
    state[HALF_OPEN] = false
  end
end

local function renew(state, command)
  for _, lease in ipairs(state[LEASES]) do
    for _, id in ipairs(command.leases) do
      if lease[L_ID] == id then lease[L_EXPIRES] = state[NOW] + rules.lease end
    end
  end
end

local function apply(state, now, command)
  advance(state, now)
  if command.op == 'acquire' then return acquire(state, command) end
  if command.op == 'peek' then return peek(state, command) end
  if command.op == 'settle' then settle(state, command) end
  if command.op == 'release' then take_lease(state, command.lease) end
  if command.op == 'renew' then renew(state, command) end
  return reply(state, false, 0)
end

local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6
local saved = redis.call('GET', KEYS[1])
local readable, state = false, nil
if saved then readable, state = pcall(cmsgpack.unpack, saved) end
if not readable or type(state) ~= 'table' or state[VERSION] ~= FORMAT then
  state = fresh_state(now)
end
local answer = apply(state, now, cmsgpack.unpack(ARGV[1]))
redis.call('SET', KEYS[1], cmsgpack.pack(state), 'PX', ARGV[3])
return cmsgpack.pack(answer)
