-- Users who ask once each. `wrk -t1 ... -s users.lua URL -- PREFIX PROGRESS`: every answer is counted under the release that says it has given it, anything
-- else is lost; how many have been answered is written to PROGRESS now and then, and the whole as one line of JSON to the standard output in the end.
answered, lost, firstLost, releases = 0, 0, '', {}
local users = 0

function init(arguments)
  prefix, progress = arguments[1], arguments[2]
end

function request()
  users = users + 1
  return wrk.format('GET', nil, { cookie = 'session=' .. prefix .. users })
end

function response(status, headers, body)
  local release = (status == 200 or status == 500) and body:match('^{"release":"([^"]*)"')
  if release then
    answered = answered + 1
    releases[release] = (releases[release] or 0) + 1
  else
    lost = lost + 1
    if lost == 1 then firstLost = (status .. ' ' .. body:sub(1, 200)):gsub('[%c"\\]', ' ') end
  end
  if answered % 50 == 0 then
    local file = io.open(progress, 'w')
    file:write(answered)
    file:close()
  end
end

local threads = {}
function setup(thread)
  threads[#threads + 1] = thread
end

function done(summary)
  local thread, met = threads[1], {}
  for release, count in pairs(thread:get('releases')) do
    met[#met + 1] = ('"%s":%d'):format(release, count)
  end
  local errors = summary.errors
  io.write(('\n{"answered":%d,"lost":%d,"firstLost":"%s","broken":%d,"timeouts":%d,"releases":{%s}}\n'):format(
    thread:get('answered'), thread:get('lost'), thread:get('firstLost'),
    errors.connect + errors.read + errors.write, errors.timeout, table.concat(met, ',')))
end
