/**
 * What HAProxy's own rules cannot say, as Lua. Few requests come here: those whose Connection field names other fields, and those of
 * users that stay with a release.
 */
export const luaScript = `
local own = { close = true, ["keep-alive"] = true, upgrade = true, te = true, host = true, ["content-length"] = true,
  ["transfer-encoding"] = true, ["x-request-id"] = true, traceparent = true, ["x-sluice-caller"] = true }

-- Takes out the fields that Connection names, and their names of it.
local function drop_named(headers, del, set)
  local connection = headers["connection"]
  if connection == nil then return end
  local left = {}
  for _, value in pairs(connection) do
    for name in string.gmatch(value, "[^,%s]+") do
      name = string.lower(name)
      if not own[name] then del(name)
      elseif name == "close" or name == "upgrade" or name == "keep-alive" then left[#left + 1] = name end
    end
  end
  if #left == 0 then del("connection") else set("connection", table.concat(left, ", ")) end
end

core.register_action("drop-named", { "http-req" }, function(txn)
  local http = txn.http
  drop_named(http:req_get_headers(), function(name) http:req_del_header(name) end,
    function(name, value) http:req_set_header(name, value) end)
end)

core.register_action("drop-named-of-answer", { "http-res" }, function(txn)
  local http = txn.http
  drop_named(http:res_get_headers(), function(name) http:res_del_header(name) end,
    function(name, value) http:res_set_header(name, value) end)
end)

-- XXH32 (Yann Collet, https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md): HAProxy's own takes no seed that comes with the request.
local P1, P2, P3, P4, P5 = 2654435761, 2246822519, 3266489917, 668265263, 374761393
local M = 0xffffffff
local function rotl(x, r) return ((x << r) | (x >> (32 - r))) & M end
local function round(acc, lane) return (rotl((acc + lane * P2) & M, 13) * P1) & M end

local function xxh32(text, seed)
  local length, at, acc = #text, 1, 0
  if length >= 16 then
    local a, b, c, d = (seed + P1 + P2) & M, (seed + P2) & M, seed, (seed - P1) & M
    while at + 15 <= length do
      local w, x, y, z = string.unpack("<I4I4I4I4", text, at)
      a, b, c, d = round(a, w), round(b, x), round(c, y), round(d, z)
      at = at + 16
    end
    acc = rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18)
  else
    acc = seed + P5
  end
  acc = (acc + length) & M
  while at + 3 <= length do
    acc = (rotl((acc + string.unpack("<I4", text, at) * P3) & M, 17) * P4) & M
    at = at + 4
  end
  while at <= length do
    acc = (rotl((acc + string.byte(text, at) * P5) & M, 11) * P1) & M
    at = at + 1
  end
  acc = ((acc ~ (acc >> 15)) * P2) & M
  acc = ((acc ~ (acc >> 13)) * P3) & M
  return acc ~ (acc >> 16)
end

core.register_fetches("point", function(txn)
  return tostring(xxh32(txn:get_var("txn.unit"), tonumber(txn:get_var("txn.seed"))))
end)
`;
