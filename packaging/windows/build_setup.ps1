# Builds edgemind-<version>-windows-x86_64-setup.exe: PyInstaller, then Inno Setup 6 (iscc in PATH).
# Needs Python 3.11 or newer and the C++ build tools of Visual Studio. Signs where
# $env:SIGN_THUMBPRINT names a certificate in the person's store.
$ErrorActionPreference = "Stop"
$root = (Resolve-Path "$PSScriptRoot\..\..").Path
$cache = if ($env:PACKAGING_CACHE) { $env:PACKAGING_CACHE } else { "$env:LOCALAPPDATA\edgemind-packaging" }
$env:PACKAGING_CACHE = $cache

function Invoke-Checked { & $args[0] @($args | Select-Object -Skip 1); if ($LASTEXITCODE) { throw "$($args[0]) failed" } }

# As packaging/build_portable_wheel does elsewhere.
$pin = (Select-String -Path "$root\pyproject.toml" -Pattern '"(llama-cpp-python==[0-9.]+)"').Matches[0].Groups[1].Value
$wheels = "$cache\$($pin -replace '==', '-')-windows-x86_64"
if (-not (Test-Path "$wheels\*.whl")) {
    $env:CMAKE_ARGS = "-DLLAVA_BUILD=OFF -DGGML_NATIVE=OFF -DGGML_BACKEND_DL=ON " +
        "-DGGML_CPU_ALL_VARIANTS=ON -DCMAKE_INSTALL_LIBDIR=llama_cpp/lib -DCMAKE_INSTALL_BINDIR=llama_cpp/lib"
    Invoke-Checked py -3 -m pip wheel --no-deps --no-binary llama-cpp-python -w $wheels $pin
}
$env:PACKAGING_WHEEL = (Get-ChildItem "$wheels\*.whl")[0].FullName
Invoke-Checked py -3 -B "$root\packaging\frozen\build.py" folder --desktop

$folder = "$root\build\frozen\folder-desktop\dist\edgemind"
$version = (Select-String -Path "$root\edgemind\__init__.py" -Pattern '^__version__ = "(.+)"').Matches[0].Groups[1].Value
if ($env:SIGN_THUMBPRINT) {
    $sign = @("sign", "/sha1", $env:SIGN_THUMBPRINT, "/fd", "sha256", "/tr", "http://timestamp.digicert.com", "/td", "sha256")
    Invoke-Checked signtool @sign "$folder\edgemind.exe"
}
Invoke-Checked iscc "/DVersion=$version" "/DFolder=$folder" "$PSScriptRoot\edgemind.iss"
if ($env:SIGN_THUMBPRINT) {
    Invoke-Checked signtool @sign "$root\dist\edgemind-$version-windows-x86_64-setup.exe"
}
