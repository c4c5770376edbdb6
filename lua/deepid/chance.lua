--- The null model: how surprising is it that hosts in unrelated networks share a key? (doc/uniformity.md)
--
-- Networks count, not hosts. A key is a host name or a text. Keys come in classes (w, p): a share w of all networks carries keys
-- that are each as common as p. There are w/p such keys, so the expected number of keys that x of m networks share by chance
-- is at most the sum over classes of (w/p) P(Bin(m, p) >= x): a bound for all keys at once, with no further correction.

local M = {}

--- The chance of a false alarm that a scan may have, for each kind of key.
M.ALPHA = 1e-4

--- Fewest networks that can be called uniform: two may always be one owner's.
M.LEAST = 3

-- log(1 + x), without cancellation for small x: Kahan's form.
local function log1p(x)
  local u = 1 + x
  if u == 1 then return x end
  return math.log(u) * (x / (u - 1))
end

-- log of P(Bin(n, p) = k).
local function log_term(n, k, p)
  local sum = k * math.log(p) + (n - k) * log1p(-p)
  local small = math.min(k, n - k)
  for i = 1, small do sum = sum + math.log((n - small + i) / i) end
  return sum
end

-- Sum of the terms from k on, upwards (step 1) or downwards (-1), while they matter. They fall as fast as a geometric series
-- or faster once beyond the mean, where callers begin.
local function sum_terms(n, k, p, step)
  local term, sum = math.exp(log_term(n, k, p)), 0
  local odds = p / (1 - p)
  while k >= 0 and k <= n and term > sum * 1e-17 do
    sum = sum + term
    if step > 0 then
      term = term * odds * (n - k) / (k + 1)
    else
      term = term * k / ((n - k + 1) * odds)
    end
    k = k + step
  end
  return sum
end

--- P(Bin(n, p) >= k), to about 12 digits; below 1e-308 it is 0.
--
-- @param n  trials, a whole number
-- @param k  at least so many
-- @param p  chance of each, between 0 and 1
function M.tail(n, k, p)
  if k <= 0 then return 1.0 end
  if k > n or p <= 0 then return 0.0 end
  if p >= 1 then return 1.0 end
  if k > n * p then return math.min(1.0, sum_terms(n, k, p, 1)) end
  return math.max(0.0, 1.0 - sum_terms(n, k - 1, p, -1))
end

--- Expected number of keys that k or more of m networks share by chance; as a probability, an upper bound, at most 1.
--
-- @param classes  array of {w, p}
function M.bound(m, k, classes)
  local sum = 0.0
  for _, class in ipairs(classes) do sum = sum + class.w / class.p * M.tail(m, k, class.p) end
  return math.min(1.0, sum)
end

--- Networks that a single key of the most common class is expected in.
function M.expected(m, classes)
  local most = 0
  for _, class in ipairs(classes) do most = math.max(most, class.p) end
  return m * most
end

--- x(m): the fewest networks that are surprising, M.LEAST at the least.
--
-- @param alpha  (optional) default M.ALPHA
-- @return x; m + 1 where even all of them are not
function M.threshold(m, classes, alpha)
  alpha = alpha or M.ALPHA
  local low, high = M.LEAST, M.LEAST -- the bound falls with x
  -- From below: the answer is small, and a bound of many takes as many steps.
  while high <= m and M.bound(m, high, classes) > alpha do low, high = high + 1, 2 * high end
  high = math.min(high, m + 1)
  while low < high do
    local middle = (low + high) // 2
    if M.bound(m, middle, classes) <= alpha then high = middle else low = middle + 1 end
  end
  return low
end

-- The prior of `estimate`: one key in 500 networks seen before the scan, which is the share above which a name must be in the
-- catalogue.
local PRIOR = { hits = 1, networks = 500 }

--- One more class, from the scan itself: a population in which *other* keys are shared more than the table says is one in which
-- this key may be too. The tested key takes no part, and of the most shared other key one network is left out, the one that
-- made it known.
--
-- @param m      networks in the scan
-- @param other  networks that share the most shared other key
-- @return class {w, p} for one key
function M.estimate(m, other)
  local p = (PRIOR.hits + math.max(0, other - 1)) / (PRIOR.networks + math.max(0, m - 1))
  return { w = p, p = p }
end

return M
