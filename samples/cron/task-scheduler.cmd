rem Windows Task Scheduler: every night at 02:15. Set the keys once as variables of
rem the user that runs the task (setx LEADSQUARED_ACCESS_KEY ...), never in the task.
rem The ledger is C:\crm\ledger.db. Loads by hand share it: setx LEADLOAD_LEDGER C:\crm\ledger.db
rem Last result 0x0: all is loaded. 0x4: some rows need a person. 0x3: it goes on the next night.
schtasks /Create /TN "leadload" /SC DAILY /ST 02:15 /TR "cmd /c cd /d C:\crm && leadload.exe import drop -m deals.yaml --until 06:00 --wait-lock 30m --yes -q --ledger ledger.db >> leadload.txt 2>&1"
