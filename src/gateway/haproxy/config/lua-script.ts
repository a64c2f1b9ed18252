/** What HAProxy's own rules cannot say, as Lua. Few answers come here: those whose Connection field names other fields. */
export const luaScript = `
local own = { close = true, ["keep-alive"] = true, upgrade = true, ["content-length"] = true, ["transfer-encoding"] = true,
  ["x-request-id"] = true }

core.register_action("drop-named", { "http-res" }, function(txn)
  local http = txn.http
  local connection = http:res_get_headers()["connection"]
  if connection == nil then return end
  for _, value in pairs(connection) do
    for name in string.gmatch(value, "[^,%s]+") do
      name = string.lower(name)
      if not own[name] then http:res_del_header(name) end
    end
  end
end)
`;
