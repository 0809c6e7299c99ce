-- One kind of request for wrk, and its figures as one line of JSON at the end.
--
--   wrk … -s wrk.lua URL -- METHOD PATH COUNT TOKEN [ETAG]
--
-- PATH may hold %d: the number of the request, modulo COUNT unless that is 0. PUT sends 1 KiB.
local number = 0
local method, path, count, headers, body

function init(args)
  method, path, count = args[1], args[2], tonumber(args[3])
  headers = {}
  if args[4] ~= "-" then headers["Authorization"] = "Bearer " .. args[4] end
  if args[5] then headers["If-None-Match"] = args[5] end
  if method == "PUT" then
    headers["Content-Type"] = "application/octet-stream"
    body = string.rep("0123456789abcdef", 64)
  end
  fixed = not path:find("%%d") and wrk.format(method, path, headers, body)
end

function request()
  if fixed then return fixed end
  number = number + 1
  local n = number
  if count > 0 then n = number % count end
  return wrk.format(method, path:gsub("%%d", tostring(n)), headers, body)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%f,"p50_ms":%f,"p99_ms":%f,"bad_status":%d,"broken":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, errors.status, errors.connect + errors.read + errors.write +
    errors.timeout))
end
