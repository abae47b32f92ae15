; Inno Setup: a setup program around the one-folder build, for one person or all of the machine.
; Started by build_setup.ps1, which gives the version and the folder.

#ifndef Version
  #error Start build_setup.ps1: it says which version and which folder
#endif

[Setup]
AppId={{4F0B5D0E-6B0E-4B66-9E60-2E5C6C0D9B7A}
AppName=edgemind
AppVersion={#Version}
AppPublisher=edgemind
DefaultDirName={autopf}\edgemind
DefaultGroupName=edgemind
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
ChangesEnvironment=yes
Compression=lzma2
SolidCompression=yes
LicenseFile={#Folder}\_internal\LICENSE
OutputDir=..\..\dist
OutputBaseFilename=edgemind-{#Version}-windows-x86_64-setup
SetupIconFile=..\icons\edgemind.ico
UninstallDisplayIcon={app}\edgemind.exe

[Tasks]
Name: path; Description: "Put edgemind into PATH, for the command line"

[Files]
Source: "{#Folder}\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs createallsubdirs

[Icons]
Name: "{group}\edgemind"; Filename: "{app}\edgemind.exe"; Parameters: "desktop"
Name: "{group}\edgemind in a terminal"; Filename: "{cmd}"; Parameters: "/k ""{app}\edgemind.exe"" chat"

[Registry]
Root: HKA; Subkey: "{code:EnvironmentKey}"; ValueType: expandsz; ValueName: "Path"; \
  ValueData: "{olddata};{app}"; Tasks: path; Check: IsNotInPath

[Code]
function EnvironmentKey(Unused: string): string;
begin
  if IsAdminInstallMode then
    Result := 'SYSTEM\CurrentControlSet\Control\Session Manager\Environment'
  else
    Result := 'Environment';
end;

function IsNotInPath: Boolean;
var
  Path: string;
begin
  if not RegQueryStringValue(HKA, EnvironmentKey(''), 'Path', Path) then
    Path := '';
  Result := Pos(';' + Uppercase(ExpandConstant('{app}')) + ';', ';' + Uppercase(Path) + ';') = 0;
end;

procedure CurUninstallStepChanged(Step: TUninstallStep);
var
  Path: string;
begin
  if Step <> usPostUninstall then
    exit;
  if RegQueryStringValue(HKA, EnvironmentKey(''), 'Path', Path) then
  begin
    StringChangeEx(Path, ';' + ExpandConstant('{app}'), '', True);
    RegWriteExpandStringValue(HKA, EnvironmentKey(''), 'Path', Path);
  end;
end;
