"""One file per skill or group of kindred skills; every module here is imported by itself."""
