-- Waits a second and a bit, and reads no more of the request meanwhile: whoever is refused after this comes back no faster.
core.register_action("hold_back", { "http-req" }, function()
    core.msleep(math.random(1000, 1500))
end)
