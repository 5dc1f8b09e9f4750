"""A school in which every rule of reach has somebody: cycles, departments, classes, subgroups, courses.

People are known by their login. Next door is another school, with people of the same kinds. `reach_by_hand` tells
the same school once more.
"""

from pathlib import Path

from sqlalchemy import select, update

from jobs.roster import import_roster
from models.actor import Actor, Viewer, actor
from models.database import Database
from models.tables.organization import organizations
from models.tables.people import users
from tests.small_roster import folder, manifest

ORGS = """sourcedId,status,name,type,parentSourcedId,metadata.kind
hill,,Hill School,school,,
low,,Low Cycle,department,hill,cycle
high,,High Cycle,department,hill,cycle
arts,,Arts,department,hill,
music,,Music,department,arts,
sports,,Sports,department,hill,
dale,,Dale School,school,,
"""

COURSES = """sourcedId,status,title,orgSourcedId
any,,Anything,hill
"""

CLASSES = """sourcedId,status,title,courseSourcedId,classType,schoolSourcedId,\
metadata.kind,metadata.parentSourcedId
1a,,1A,any,homeroom,hill,,low
1b,,1B,any,homeroom,hill,,low
2a,,2A,any,homeroom,hill,,high
choir,,Choir Class,any,homeroom,hill,,music
team,,Team Class,any,homeroom,hill,,sports
maths,,Maths 1A,any,scheduled,hill,,low
paint,,Painting,any,scheduled,hill,,
safety,,Safety,any,scheduled,hill,course,
cook,,Cooking,any,scheduled,hill,course,
9d,,9D,any,homeroom,dale,,
"""

USERS = """sourcedId,status,enabledUser,orgSourcedIds,role,username,givenName,familyName,\
agentSourcedIds,metadata.position
head,,true,hill,administrator,head,Ada,Head,,
deputy,,true,"hill,low",administrator,deputy,Dan,Deputy,,
owner,,true,hill,aide,owner,Olga,Owner,,owner
nurse,,true,"hill,low",aide,nurse,Nora,Nurse,,
dean,,true,hill,aide,dean,Dora,Dean,,
arts.chief,,true,hill,aide,arts.chief,Art,Chief,,
music.chief,,true,hill,teacher,music.chief,Max,Chief,,
trainer,,true,hill,aide,trainer,Tom,Trainer,,
chef,,true,hill,aide,chef,Carl,Chef,,
t.1a,,true,hill,teacher,t.1a,Tia,One,,
t.1a.2,,true,hill,teacher,t.1a.2,Tim,Two,,
t.1b,,true,hill,teacher,t.1b,Tess,Three,,
t.2a,,true,hill,teacher,t.2a,Ted,Four,,
t.choir,,true,hill,teacher,t.choir,Theo,Five,,
t.maths,,true,hill,teacher,t.maths,Tara,Six,,
t.paint,,true,hill,teacher,t.paint,Tina,Seven,,
t.high,,true,"hill,high",teacher,t.high,Toby,Eight,,
t.idle,,true,hill,teacher,t.idle,Tod,Nine,,
t.father,,true,hill,teacher,t.father,Tor,Ten,,
t.gone,,true,hill,teacher,t.gone,Tex,Gone,,
l.1a,,true,hill,student,l.1a,Lea,A,"g.two,g.one",
l.1a.2,,true,hill,student,l.1a.2,Leo,B,g.b,
l.1b,,true,hill,student,l.1b,Lia,C,t.father,
l.2a,,true,hill,student,l.2a,Lou,D,g.two,
l.2a.2,,true,hill,student,l.2a.2,Lex,E,,
l.choir,,true,hill,student,l.choir,Lyn,F,g.choir,
l.team,,true,hill,student,l.team,Luc,G,,
l.arts,,true,"hill,arts",student,l.arts,Lin,H,,
l.none,,true,hill,student,l.none,Lev,I,g.none,
l.gone,,true,hill,student,l.gone,Lot,J,g.b,
g.one,,true,hill,parent,g.one,Gus,A,,
g.two,,true,hill,parent,g.two,Gia,A,,
g.b,,true,hill,guardian,g.b,Geo,B,,
g.choir,,true,hill,guardian,g.choir,Gil,F,,
g.none,,true,hill,guardian,g.none,Gwen,I,,
d.head,,true,dale,administrator,d.head,Dee,Head,,
d.teacher,,true,dale,teacher,d.teacher,Deb,Dale,,
d.learner,,true,dale,student,d.learner,Del,Dale,d.parent,
d.parent,,true,dale,parent,d.parent,Dov,Dale,,
"""

ENROLLMENTS = """sourcedId,status,classSourcedId,schoolSourcedId,userSourcedId,role,primary,metadata.position
e0,,1a,hill,t.1a,teacher,true,
e1,,1a,hill,t.1a.2,teacher,false,
e2,,1a,hill,l.1a,student,,
e3,,1a,hill,l.1a.2,student,,
e4,,1a,hill,l.gone,student,,
e5,,1b,hill,t.1b,teacher,true,
e6,,1b,hill,l.1b,student,,
e7,,2a,hill,t.2a,teacher,,
e8,,2a,hill,l.2a,student,,
e9,,2a,hill,l.2a.2,student,,
e10,,choir,hill,t.choir,teacher,,
e11,,choir,hill,l.choir,student,,
e12,,team,hill,l.team,student,,
e13,,maths,hill,t.maths,teacher,,
e14,,maths,hill,t.gone,teacher,,
e15,,maths,hill,l.1a,student,,
e16,,maths,hill,l.gone,student,,
e17,,paint,hill,t.paint,teacher,,
e18,,paint,hill,l.1a.2,student,,
e19,,paint,hill,l.2a,student,,
e20,,safety,hill,trainer,proctor,,expert
e21,,safety,hill,l.1a,student,,
e22,,safety,hill,l.team,student,,
e23,,cook,hill,chef,aide,,expert
e24,,cook,hill,l.2a,student,,
e25,,cook,hill,l.none,student,,
e26,,high,hill,dean,aide,,administrator
e31,,low,hill,dean,aide,,administrator
e27,,arts,hill,arts.chief,aide,,administrator
e28,,music,hill,music.chief,teacher,,administrator
e29,,9d,dale,d.teacher,teacher,,
e30,,9d,dale,d.learner,student,,
"""

GONE = ("t.gone", "l.gone")
"""Deactivated with everything else as it was: being active is asked for itself."""


class ReachSchool:
    """Hill School under one preset, in a database of its own."""

    def __init__(self, database: Database, path: Path, preset: str) -> None:
        self.database = database
        files = {
            "manifest.csv": manifest(),
            "orgs.csv": ORGS,
            "courses.csv": COURSES,
            "classes.csv": CLASSES,
            "users.csv": USERS,
            "enrollments.csv": ENROLLMENTS,
        }
        self.roster = folder(path / preset, files)
        import_roster(database, self.roster, preset=preset, time_zone="UTC", locale="en")
        with database.transaction() as tx:
            tx.execute(update(users).where(users.c.login.in_(GONE)).values(deactivated_at=tx.now))
            self.id = int(
                tx.execute(select(organizations.c.id).where(organizations.c.source_id == "hill")).scalar_one()
            )
            self.people = {row.id: row.login for row in tx.execute(select(users.c.id, users.c.login))}
        self.numbers = {login: number for number, login in self.people.items()}

    def viewer(self, login: str) -> Viewer:
        return Viewer(self.numbers[login], self.id)

    def actor(self, login: str) -> Actor:
        with self.database.transaction() as tx:
            return actor(tx, self.viewer(login))
