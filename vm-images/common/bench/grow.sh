# Lets the root file system fill a disk that was made larger than the image. To be sourced, in the background.

find_disk root
read -r sectors <"$disk/size"
blocks=$(stat -f -c %b /)
block_size=$(stat -f -c %S /)
# Without the file system's own tables it is always a little smaller than its disk.
if [ $((sectors * 512 - blocks * block_size)) -gt $((256 * 1024 * 1024)) ]; then
    resize2fs "/dev/${disk##*/}" >/dev/null 2>&1 || say 'the root file system does not grow'
fi
