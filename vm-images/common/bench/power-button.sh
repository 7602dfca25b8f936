# The app presses the power button to end a run in good order: the runner then reports its job. To be sourced, in the
# background, once the runner is started; drivers that are no hurry are loaded here too.

while read -r when modules; do
    [ "$when" = later ] || continue
    for module in $modules; do insmod "$here/modules/$module.ko" 2>/dev/null; done
done <"$here/drivers"

for event in /sys/class/input/event*; do
    read -r name <"$event/device/name"
    [ "$name" = 'Power Button' ] || continue
    # Blocks until the button is pressed: an event has 24 bytes.
    dd if="/dev/input/${event##*/}" of=/dev/null bs=24 count=1 2>/dev/null
    say 'the power button was pressed: the runner is asked to end'
    kill -TERM "$runner"
    break
done
