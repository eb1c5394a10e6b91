import sys,time,json,tempfile
sys.path.insert(0,'/work/wt/audit')
from pathlib import Path
from fixtures.clusters.lab.lab import Lab
from tests.lab.situations.eye import Eye, changes
from tests.lab.situations import applications, cluster, shop
lab=Lab.open(); eye=Eye.impatient(lab, Path(tempfile.mkdtemp()))
end=time.monotonic()+float(sys.argv[1]); pick=sys.argv[2:] 
out=open('/tmp/audit/explore.jsonl','a')
def say(**k):
    print(json.dumps(k),file=out,flush=True)
t=time.monotonic(); b=eye.look(evidence=True); say(base={k:(v[0],sorted(v[1])) for k,v in b.items() if v[0] not in('pass','not-applicable')},took=time.monotonic()-t)
t=time.monotonic(); b=eye.look(); say(look=time.monotonic()-t)
with shop.open_shop(eye.api):
    a=eye.until(b,{},within_s=15); say(shop=a)
    every=applications.SITUATIONS+cluster.SITUATIONS
    for s in every:
        if pick and not any(p in s.name for p in pick): continue
        if time.monotonic()>end: say(stopped=s.name); break
        t0=time.monotonic(); before=eye.look(evidence=s.evidence)
        err=None; seen=None; trail=[]
        try:
            with s.deed(lab,eye.api):
                same=0; d=time.monotonic()+s.within_s
                while time.monotonic()<d:
                    try: now=changes(before,eye.look(evidence=s.evidence))
                    except Exception as e: now={'error':repr(e)[:300]}
                    if now==seen: same+=1
                    else: same=0; seen=now; trail.append((round(time.monotonic()-t0,1),now))
                    if now==s.expected and now: break
                    if same>=(3 if s.within_s<=20 else 12): break
                    time.sleep(.5)
        except Exception as e: err=repr(e)[:500]
        t1=time.monotonic(); back=None; seen2=[]
        while time.monotonic()-t1<60:
            try: back=changes(before,eye.look(evidence=s.evidence))
            except Exception as e: back={'error':repr(e)[:300]}
            if not seen2 or seen2[-1]!=back: seen2.append(back)
            if back=={}: break
            time.sleep(.5)
        say(name=s.name,ok=seen==s.expected,seen=seen,trail=trail,err=err,took=round(t1-t0,1),undone=round(time.monotonic()-t1,1),left=seen2[:6] if back else {})
say(done=True)
